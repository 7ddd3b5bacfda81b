/** Server-sent events of one deployment: the whole object at each change, `end` at the end. */
import { PassThrough } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { DeploymentView } from '../../domain/view.js';
import type { Person } from '../auth.js';
import type { Context } from '../context.js';
import { shownTo } from '../context.js';
import { assertId } from '../checks.js';
import { notFound } from '../errors.js';
import { errors, IdParams, sentAs } from '../schemas/common.js';
import { readDeployment } from '../temporal/reads.js';

/** Proxies close what is silent for a minute, some after half of one. */
const COMMENT_EVERY_MS = 10_000;

export const streamRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/deployments/:id/stream',
      {
        exposeHeadRoute: false,
        onRequest: context.guards.read,
        schema: {
          ...{ operationId: 'streamDeployment', summary: 'One deployment, live', tags: ['deployments'] },
          description:
            'Server-sent events: `deployment` with the whole object at each change, then `end` with `{ id, outcome }`.',
          params: IdParams,
          response: { 200: sentAs('text/event-stream', 'Events, until it has ended'), ...errors },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        assertId(id);
        if (!(await readDeployment(context.temporal, id))) throw notFound(`There is no deployment ${id}`);
        const stream = follow(context, id, request.person);
        void reply.header('content-type', 'text/event-stream').header('x-accel-buffering', 'no');
        // A stream is sent as it is; the schema's type stands for its text.
        return reply.send(stream as unknown as string);
      },
    );
  };

const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

function follow(context: Context, id: string, person: Person): PassThrough {
  const stream = new PassThrough();
  let last: DeploymentView | undefined;
  let unsent: string | undefined;
  // Who reads slowly misses steps in between, never the newest: each event is the whole object.
  const send = (text: string): void => {
    if (stream.writableNeedDrain) unsent = text;
    else stream.write(text);
  };
  stream.on('drain', () => {
    const text = unsent;
    unsent = undefined;
    if (text) stream.write(text);
  });
  stream.write('retry: 1000\n\n');
  const comments = setInterval(() => {
    if (!stream.writableNeedDrain) stream.write(': still here\n\n');
  }, COMMENT_EVERY_MS);
  const stop = context.watchers.watch(id, {
    changed: (view) => {
      last = view;
      send(event('deployment', shownTo(context, view, person)));
    },
    ended: () => {
      const finished = last?.state === 'finished';
      // Ended by the end of this process: no `end`, so that the reader comes back.
      stream.end((unsent ?? '') + (finished ? event('end', { id, outcome: last?.outcome }) : ''));
    },
  });
  stream.on('close', () => {
    clearInterval(comments);
    stop();
  });
  return stream;
}
