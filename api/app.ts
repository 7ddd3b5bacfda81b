/** The Fastify application, without a port: tests inject requests into it. */
import { randomUUID } from 'node:crypto';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Fastify from 'fastify';
import { ApiError, onError, onUnknownRoute } from './errors.js';
import type { ApiDeps, Context } from './context.js';
import { createGuards } from './auth.js';
import { dashboardRoutes } from './dashboard.js';
import { docs } from './docs.js';
import { OUTAGES } from './metrics.js';
import { addQueueMetrics } from './queue-metrics.js';
import { appsRoutes } from './routes/apps.js';
import { authRoutes } from './routes/auth.js';
import { buildsRoutes } from './routes/builds.js';
import { deploymentsRoutes } from './routes/deployments.js';
import { everythingRoutes } from './routes/everything.js';
import { ecsWebhookRoutes } from './routes/ecs-webhook.js';
import { locksRoutes } from './routes/locks.js';
import { meRoutes } from './routes/me.js';
import { promotionsRoutes } from './routes/promotions.js';
import { plansRoutes } from './routes/plans.js';
import { releasesRoutes } from './routes/releases.js';
import { rollbacksRoutes } from './routes/rollbacks.js';
import { settingsRoutes } from './routes/settings.js';
import { streamRoutes } from './routes/stream.js';
import { systemRoutes } from './routes/system.js';
import { targetsRoutes } from './routes/targets.js';
import { testReportsRoutes } from './routes/test-reports.js';
import { webhooksRoutes } from './routes/webhooks.js';
import { addSignIn } from './sign-in.js';
import { readDeployment } from './temporal/reads.js';
import { validatorCompiler } from './validation.js';
import { createWatchers } from './watchers.js';

/** Enough for the longest reason in the widest encoding. */
const BODY_BYTES = 64 * 1024;
/** The longest id of a deployment or release is below this. */
const PARAM_CHARS = 250;

const ALL_ROUTES = [
  systemRoutes,
  meRoutes,
  authRoutes,
  settingsRoutes,
  appsRoutes,
  deploymentsRoutes,
  rollbacksRoutes,
  plansRoutes,
  buildsRoutes,
  targetsRoutes,
  streamRoutes,
  everythingRoutes,
  releasesRoutes,
  locksRoutes,
  promotionsRoutes,
  testReportsRoutes,
  webhooksRoutes,
  ecsWebhookRoutes,
];

/** @param logger absent: nothing is logged */
export async function buildApi(deps: ApiDeps & { logger?: FastifyBaseLogger }): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    ...(deps.logger ? { loggerInstance: deps.logger } : {}),
    bodyLimit: BODY_BYTES,
    routerOptions: { maxParamLength: PARAM_CHARS },
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    frameworkErrors: (error, request, reply) => void onError(error, request, reply),
    forceCloseConnections: 'idle',
  });
  const context = contextOf(deps);
  addQueueMetrics(context);
  app.setValidatorCompiler(validatorCompiler);
  app.setErrorHandler(onError);
  app.setNotFoundHandler(onUnknownRoute);
  app.decorateRequest('person', null as never);
  app.addHook('onSend', headers);
  app.addHook('onResponse', measure(context));
  app.addHook('onError', async (_request, _reply, error) => countOutage(context, error));
  app.addHook('preClose', async () => context.watchers.close());

  if (deps.signIn) await addSignIn(app, { ...deps.signIn, publicUrl: context.links.publicUrl });
  await app.register(docs, { release: deps.release });
  for (const routes of ALL_ROUTES) await app.register(routes(context));
  if (deps.dashboard) await app.register(dashboardRoutes(deps.dashboard));
  return app;
}

function contextOf(deps: ApiDeps): Context {
  const { config, identities, temporal, temporalUiUrl, repositoryUrl, signIn } = deps;
  const publicUrl = (deps.publicUrl ?? '').replace(/\/+$/, '');
  return {
    ...deps,
    guards: createGuards({ config, identities, hasSignIn: signIn !== undefined, publicUrl }),
    links: {
      config,
      namespace: temporal.namespace,
      publicUrl,
      ...(temporalUiUrl ? { temporalUiUrl: temporalUiUrl.replace(/\/+$/, '') } : {}),
      ...(repositoryUrl ? { repositoryUrl } : {}),
    },
    watchers: createWatchers({ read: (id) => readDeployment(temporal, id) }),
  };
}

async function headers(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  void reply.header('x-request-id', request.id);
  void reply.header('x-content-type-options', 'nosniff');
  void reply.header('referrer-policy', 'no-referrer');
  void reply.header('x-frame-options', 'DENY');
  if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
  if (!reply.hasHeader('content-security-policy')) {
    void reply.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
  }
}

const measure =
  ({ metrics }: Context) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const route = request.routeOptions.url ?? 'unknown';
    if (route.endsWith('/stream')) return; // lasts as long as somebody watches
    const { method } = request;
    metrics.requests.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
  };

function countOutage({ metrics }: Context, error: Error): void {
  if (!(error instanceof ApiError)) return;
  const code = OUTAGES.find((one) => one === error.code);
  if (code) metrics.temporalErrors.inc({ code });
}
