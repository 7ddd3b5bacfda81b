/** The dashboard at `/`, and at the addresses of its pages. It holds no data: open to everyone. */
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyPluginAsync, FastifyReply } from 'fastify';

/** Where it is built to; until then, and where that failed, a page says so. */
export type Dashboard = Promise<string>;

/** Pages that `dashboard/Page.tsx` knows. */
const PAGES = ['/', '/apps/:app', '/deployments/:id', '/history', '/releases', '/releases/:id', '/locks'];

/** Everything from here, and nothing written into the page itself. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

type State = { directory: string } | { failed: true } | 'being built';

export const dashboardRoutes =
  (dashboard: Dashboard): FastifyPluginAsync =>
  async (app) => {
    let state: State = 'being built';
    dashboard.then(
      (directory) => void (state = { directory }),
      (err: unknown) => {
        state = { failed: true };
        app.log.error({ err }, 'the dashboard could not be built');
      },
    );
    // Its root is known only later: each answer names the folder.
    await app.register(fastifyStatic, {
      root: process.cwd(),
      serve: false,
      preCompressed: true,
      etag: true,
    });

    for (const url of PAGES) {
      app.get(url, { schema: { hide: true } }, async (_request, reply) => {
        void reply.header('content-security-policy', POLICY);
        if (state === 'being built' || 'failed' in state) return notYet(reply, state);
        return reply
          .header('cache-control', 'no-cache')
          .sendFile('index.html', state.directory, { cacheControl: false });
      });
    }

    app.get<{ Params: { '*': string } }>(
      '/assets/*',
      { schema: { hide: true } },
      async ({ params }, reply) => {
        if (state === 'being built' || 'failed' in state) return notYet(reply, state);
        // A name holds a hash of what it names.
        return reply.sendFile(params['*'], join(state.directory, 'assets'), {
          maxAge: '365d',
          immutable: true,
        });
      },
    );
  };

/** Looked at again by the browser itself: the content security policy allows no script for it. */
function notYet(reply: FastifyReply, state: State): FastifyReply {
  const isFailed = typeof state === 'object' && 'failed' in state;
  const words = isFailed
    ? 'The dashboard could not be built: the API’s log says why. <a href="/docs">The API</a> and the command line work.'
    : 'The dashboard is being built: it takes some seconds, once.';
  return reply
    .code(503)
    .type('text/html; charset=utf-8')
    .header('retry-after', '1')
    .send(
      `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sluice</title>${isFailed ? '' : '<meta http-equiv="refresh" content="1">'}<p>${words}</p></html>`,
    );
}
