/** The process `npm run api`. */
import { readFileSync } from 'node:fs';
import closeWithGrace from 'close-with-grace';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createAws } from '../clients/aws.js';
import { ConfigError, loadConfig } from '../clients/config.js';
import { createCredentials } from '../clients/github-credentials.js';
import { identitiesOf } from '../clients/identities-of.js';
import { readSecretFiles } from '../clients/secret-files.js';
import { createTemporal } from '../clients/temporal.js';
import type { Config } from '../domain/config/config.js';
import { buildApi } from './app.js';
import { buildDashboard } from './dashboard-build.js';
import { createLive } from './live.js';
import { createMetrics } from './metrics.js';
import { createReleaseTags } from './release-tags.js';
import { signInOf } from './sign-in.js';

/** Fastify logs no headers by itself; this stands behind whoever will. */
const logger = pino({
  level: process.env['LOG_LEVEL'] ?? 'info',
  redact: ['req.headers.authorization', 'req.headers.cookie', 'headers.authorization', 'authorization'],
});

async function main(): Promise<void> {
  const { env } = process;
  readSecretFiles(env);
  const config = loadConfig();
  const { host, port } = address(env);
  const signIn = signInOf(env);
  const temporal = createTemporal();
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const metrics = createMetrics(registry);
  const aws = createAws(config, metrics.onAwsCall);
  const app = await buildApi({
    config,
    temporal,
    identities: identitiesOf(env, config, createCredentials(env, config)),
    live: createLive({ config, ecs: (environment) => aws.ecs(environment) }),
    releaseTags: createReleaseTags({ config, ecr: aws.ecr }),
    webhookSecrets: {
      ...(env['GITHUB_WEBHOOK_SECRET'] ? { github: env['GITHUB_WEBHOOK_SECRET'] } : {}),
      ...(env['TESTS_WEBHOOK_SECRET'] ? { tests: env['TESTS_WEBHOOK_SECRET'] } : {}),
    },
    metrics,
    release: env['SLUICE_RELEASE'] || packageVersion(),
    ...(env['SLUICE_PUBLIC_URL'] ? { publicUrl: env['SLUICE_PUBLIC_URL'] } : {}),
    ...(env['ECS_WEBHOOK_SECRET'] ? { ecsWebhookSecret: env['ECS_WEBHOOK_SECRET'] } : {}),
    ...(env['TEMPORAL_UI_URL'] ? { temporalUiUrl: env['TEMPORAL_UI_URL'] } : {}),
    ...(signIn ? { signIn } : {}),
    repositoryUrl: repositoryUrl(env, config),
    dashboard: buildDashboard(),
    logger,
  });
  closeWithGrace({ delay: 5_000, logger: { error: (problem) => logger.error(problem) } }, async ({ err }) => {
    if (err) logger.error({ err }, 'closing after an error');
    await app.close();
    await temporal.close();
    aws.destroy();
  });
  await listen(app, host, port);
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new ConfigError(`Cannot listen on ${host}:${port} (${code}): set HOST or PORT to one that is free`);
  }
}

/** Local by default: who wants it reachable from elsewhere says so. */
function address(env: NodeJS.ProcessEnv): { host: string; port: number } {
  const port = Number(env['PORT'] || 3000);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ConfigError(`PORT is ${JSON.stringify(env['PORT'])}: it must be a number from 0 to 65535`);
  }
  return { host: env['HOST'] || '127.0.0.1', port };
}

function repositoryUrl(env: NodeJS.ProcessEnv, { repository: { owner, name } }: Config): string {
  return `${(env['GITHUB_SERVER_URL'] || 'https://github.com').replace(/\/+$/, '')}/${owner}/${name}`;
}

function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

main().catch((error: unknown) => {
  // What the configuration lacks is said in plain words; a stack would hide it.
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${error instanceof ConfigError ? message : `The API cannot start: ${message}`}\n`);
  process.exit(1);
});
