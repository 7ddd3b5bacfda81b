import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { run } from '../../cli/program.js';
import { STEPS } from '../../domain/deployment.js';

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => handler(request, response, body));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

async function sluice(url: string, argv: string[], interrupted = new AbortController().signal) {
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    now: () => new Date('2026-03-01T10:00:30.000Z'),
    interrupted,
  };
  const code = await run(argv, { SLUICE_URL: url, GITHUB_TOKEN: 'ghp_x' }, io);
  return { code, out, err: err.join('\n') };
}

const ID = 'staging.api.abcd1234';
const view = (change: object = {}) => ({
  ...{ id: ID, app: 'api', environment: 'staging', kind: 'deploy', tag: 'v1', actor: 'alice' },
  ...{ state: 'running', step: 'look', warnings: [], queuedAt: '2026-03-01T10:00:00.000Z' },
  steps: STEPS.map((name) => ({ name, state: 'pending' })),
  ...change,
});
const done = (outcome: string, change: object = {}) =>
  view({ state: 'finished', outcome, finishedAt: '2026-03-01T10:00:20.000Z', ...change });
const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

const stream = (response: ServerResponse, ...events: string[]): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const text of events) response.write(text);
  response.end();
};

/** Accepts, then streams what it is given; an entry for each time the stream is opened. */
const accepting = (
  ...streams: string[][]
): { seen: { key: unknown; auth: unknown; body: string }[]; handler: Handler } => {
  const seen: { key: unknown; auth: unknown; body: string }[] = [];
  return {
    seen,
    handler: (request, response, body) => {
      if (request.url?.endsWith('/stream')) return stream(response, ...(streams.shift() ?? []));
      seen.push({ key: request.headers['idempotency-key'], auth: request.headers.authorization, body });
      json(response, 202, { id: ID, url: `/api/deployments/${ID}`, position: 0 });
    },
  };
};

describe('deploy', () => {
  it('follows to the end and exits 0 on success only', async () => {
    const { seen, handler } = accepting([
      event('deployment', view()),
      event('deployment', done('succeeded', { verified: true })),
      event('end', { id: ID, outcome: 'succeeded' }),
    ]);
    const url = await serve(handler);
    const { code, out } = await sluice(url, ['deploy', 'api', 'staging', '--tag', 'v1', '--reason', 'why']);
    expect(code).toBe(0);
    expect(out).toEqual([`accepted ${ID}`, '    30s  step look', '✓ api on staging @ v1 succeeded in 20s']);
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({
      app: 'api',
      environment: 'staging',
      tag: 'v1',
      reason: 'why',
    });
    expect(seen[0]?.auth).toBe('Bearer ghp_x');
  });

  it('exits 1 on every other outcome, with the reason', async () => {
    const failure = { step: 'validate', code: 'TAG_NOT_FOUND', message: 'openverse-api has no tag v9' };
    const { handler } = accepting([
      event('deployment', done('rejected', { failure })),
      event('end', { id: ID, outcome: 'rejected' }),
    ]);
    const { code, out } = await sluice(await serve(handler), ['deploy', 'api', 'staging', '--tag', 'v9']);
    expect(code).toBe(1);
    expect(out.join('\n')).toContain('openverse-api has no tag v9');
    expect(out.join('\n')).toContain('name another tag');
  });

  it('comes back to an interrupted stream, and tells nothing twice', async () => {
    const { handler } = accepting(
      [event('deployment', view())],
      [event('deployment', view()), event('deployment', done('succeeded')), event('end', { id: ID })],
    );
    const { code, out } = await sluice(await serve(handler), ['deploy', 'api', 'staging', '--tag', 'v1']);
    expect(code).toBe(0);
    expect(out.filter((line) => line.includes('step look'))).toHaveLength(1);
  });

  it('sends again with the same key while Sluice cannot answer', async () => {
    const { seen, handler } = accepting([event('deployment', done('succeeded')), event('end', { id: ID })]);
    let refusals = 2;
    const keys: unknown[] = [];
    const url = await serve((request, response, body) => {
      if (request.method === 'POST') keys.push(request.headers['idempotency-key']);
      if (request.method === 'POST' && refusals-- > 0) {
        if (refusals === 1) return void request.socket.destroy();
        return json(response, 503, { error: { code: 'NO_WORKER', message: 'No worker takes the work' } });
      }
      return handler(request, response, body);
    });
    const { code, err } = await sluice(url, ['deploy', 'api', 'staging', '--commit', 'a'.repeat(40)]);
    expect([code, seen.length, keys.length, new Set(keys).size]).toEqual([0, 1, 3, 1]);
    expect(err).toContain('No worker takes the work. Trying again.');
  });

  it('prints the id with --no-wait, and JSON with --json', async () => {
    const { handler } = accepting([event('deployment', done('failed')), event('end', { id: ID })]);
    const url = await serve(handler);
    const asked = ['deploy', 'api', 'staging', '--tag', 'v1'];
    expect(await sluice(url, [...asked, '--no-wait'])).toMatchObject({ code: 0, out: [ID] });
    const accepted = await sluice(url, [...asked, '--no-wait', '--json']);
    expect(JSON.parse(accepted.out.join(''))).toEqual({ id: ID, url: `/api/deployments/${ID}`, position: 0 });
    const { code, out } = await sluice(url, [...asked, '--json']);
    expect([code, out.length, JSON.parse(out[0] ?? '')]).toMatchObject([1, 1, { outcome: 'failed' }]);
  });

  it('stops watching on Ctrl-C and says how to go on', async () => {
    const interrupt = new AbortController();
    const url = await serve((request, response) => {
      if (!request.url?.endsWith('/stream')) return json(response, 202, { id: ID, url: '', position: 0 });
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(event('deployment', view()));
      setTimeout(() => interrupt.abort(), 50);
    });
    const { code, err } = await sluice(url, ['deploy', 'api', 'staging', '--tag', 'v1'], interrupt.signal);
    expect(code).toBe(130);
    expect(err).toContain(`sluice watch ${ID}`);
    expect(err).toContain(`sluice stop ${ID}`);
  });
});

describe('other commands', () => {
  it('asks for what is typed', async () => {
    const seen: string[] = [];
    const url = await serve((request, response, body) => {
      seen.push(`${request.method} ${request.url} ${body}`.trim());
      if (request.url?.endsWith('/stream')) {
        return stream(response, event('deployment', done('stopped')), event('end', { id: ID }));
      }
      if (request.method === 'DELETE') return void response.writeHead(204).end();
      if (request.url === '/api/apps') {
        const lane = { waiting: [], waitingCount: 0 };
        return json(response, 200, {
          items: [{ app: 'api', environment: 'staging', lane, warnings: [], links: {} }],
        });
      }
      if (request.method === 'GET') return json(response, 200, { items: [done('succeeded')], cursor: 'c1' });
      if (request.method === 'PUT') return json(response, 200, { reason: 'x', by: 'alice', at: '' });
      return json(response, 202, { id: ID, url: '', position: 0 });
    });
    const codes = [];
    for (const argv of [
      ['status'],
      ['status', 'api', 'staging', '--json'],
      ['history', 'api', 'staging', '--outcome', 'failed', '--limit', '5'],
      ['lock', 'api', 'staging', '--reason', 'freeze'],
      ['unlock', 'api', 'staging'],
      ['stop', ID, '--reason', 'enough'],
      ['retry', ID, '--no-wait'],
    ]) {
      codes.push((await sluice(url, argv)).code);
    }
    expect(codes).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(seen).toEqual([
      'GET /api/apps',
      'GET /api/apps',
      'GET /api/deployments?limit=5&outcome=failed&app=api&environment=staging',
      'PUT /api/locks/staging/api {"reason":"freeze"}',
      'DELETE /api/locks/staging/api {}',
      `POST /api/deployments/${ID}/stop {"reason":"enough"}`,
      `GET /api/deployments/${ID}/stream`,
      `POST /api/deployments/${ID}/retry {}`,
    ]);
    expect(await sluice(url, ['status', 'nope'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('api staging'),
    });
  });

  it('watches as one object a line', async () => {
    const { handler } = accepting([
      event('deployment', view()),
      event('deployment', done('succeeded')),
      event('end', { id: ID }),
    ]);
    const { code, out } = await sluice(await serve(handler), ['watch', ID, '--json']);
    expect(code).toBe(0);
    expect(out.map((line) => (JSON.parse(line) as { state: string }).state)).toEqual(['running', 'finished']);
  });
});

describe('what cannot be', () => {
  it.each([
    [[]],
    [['nope']],
    [['deploy', 'api']],
    [['deploy', 'api', 'staging']],
    [['deploy', 'api', 'staging', '--tag', 'a', '--commit', 'b']],
    [['deploy', 'api', 'staging', '--tga', 'a']],
    [['lock', 'api', 'staging']],
  ])('%j exits 2 and says why', async (argv) => {
    const { code, err } = await sluice('http://127.0.0.1:9', argv);
    expect(code).toBe(2);
    expect(err).not.toBe('');
  });

  it('helps, with the exit codes', async () => {
    const { code, out } = await sluice('http://127.0.0.1:9', ['--help']);
    expect(code).toBe(0);
    expect(out.join('\n')).toContain('Exit codes');
  });

  it('tells a refusal in plain words and exits 2', async () => {
    const details = { reason: 'incident 7', by: 'bob', at: '2026-03-01T09:00:00.000Z' };
    const error = { code: 'LOCKED', message: 'Locked by bob', details };
    const url = await serve((_request, response) => json(response, 409, { error }));
    const { code, err } = await sluice(url, ['deploy', 'api', 'staging', '--tag', 'v1']);
    expect(code).toBe(2);
    expect(err).toContain('incident 7');
    expect(err).toContain('unlock');
  });

  it('says what to do where nothing answers', async () => {
    const { code, err } = await sluice('http://127.0.0.1:9', ['status']);
    expect(code).toBe(1);
    expect(err).toContain('SLUICE_URL');
  }, 15_000);

  it('says so where something else answers', async () => {
    const url = await serve((_request, response) => void response.end('<html>'));
    const { code, err } = await sluice(url, ['status']);
    expect(code).toBe(1);
    expect(err).toContain('is not Sluice');
  }, 15_000);

  it('refuses an impossible SLUICE_URL', async () => {
    expect(await sluice('ftp://x', ['status'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('SLUICE_URL'),
    });
  });
});

describe('plan', () => {
  const made = {
    kind: 'deploy',
    app: 'api',
    environment: 'staging',
    commits: [],
    commitCount: 0,
    images: [],
  };
  const none = { added: [], removed: [], changed: [] };
  const answer = { ...made, variables: none, secrets: none, warnings: [] };

  it.each([
    [
      ['deploy', 'api', 'staging', '--tag', 'v1'],
      { kind: 'deploy', app: 'api', environment: 'staging', tag: 'v1' },
    ],
    [['rollback', 'api', 'staging'], { kind: 'rollback', app: 'api', environment: 'staging' }],
    [['redeploy', 'api', 'staging'], { kind: 'redeploy', app: 'api', environment: 'staging' }],
    [['release', 'api', '--tag', 'v1', '--again'], { kind: 'release', app: 'api', tag: 'v1', again: true }],
    [['approve', 'api', '--override'], { kind: 'promotion', app: 'api', override: true }],
  ])('%j', async (argv, body) => {
    const seen: string[] = [];
    const url = await serve((_request, response, text) => {
      seen.push(text);
      json(response, 200, answer);
    });
    const { code, out } = await sluice(url, ['plan', ...argv]);
    expect([code, out]).toEqual([0, ['would deploy api → staging']]);
    expect(JSON.parse(seen[0] ?? '')).toEqual(body);
  });

  it('exits 1 where it would be refused, and asks nothing that is not whole', async () => {
    const refusal = { step: 'validate', code: 'TAG_NOT_FOUND', message: 'no such tag' };
    const url = await serve((_request, response) => json(response, 200, { ...answer, refusal }));
    expect((await sluice(url, ['plan', 'deploy', 'api', 'staging', '--tag', 'v1'])).code).toBe(1);
    expect((await sluice(url, ['plan', 'deploy', 'api', 'staging'])).code).toBe(2);
    const { out } = await sluice(url, ['plan', 'deploy', 'api', 'staging', '--tag', 'v1', '--json']);
    expect(JSON.parse(out[0] ?? '')).toMatchObject({ refusal });
  });
});

describe('build', () => {
  const commit = 'c'.repeat(40);
  const at = (change: object) => ({
    id: `api.${commit}`,
    app: 'api',
    commit,
    state: 'running',
    images: [],
    ...change,
  });
  const serving = (...views: object[]) =>
    serve((request, response) =>
      request.method === 'POST'
        ? json(response, 202, { id: `api.${commit}` })
        : json(response, 200, views.length > 1 ? views.shift() : views[0]),
    );
  const args = ['build', 'api', '--commit', commit];

  it('follows to the end and exits 0 on success only', async () => {
    const images = [{ repository: 'shop-api', digest: 'sha256:1' }];
    const url = await serving(
      at({ progress: { phase: 'build', image: 'shop-api' } }),
      at({ state: 'finished', outcome: 'succeeded', images }),
    );
    const { code, out } = await sluice(url, args);
    expect([code, out]).toEqual([
      0,
      [
        `accepted api.${commit}`,
        '     0s  build shop-api',
        '✓ api @ ccccccc built in 0s',
        '  shop-api@sha256:1',
      ],
    ]);
  });

  it('exits 1 where it failed, with its last lines and what to do', async () => {
    const failure = { code: 'BUILD_FAILED', message: 'exit code 1' };
    const url = await serving(at({ state: 'finished', outcome: 'failed', failure, lastLines: ['npm ERR!'] }));
    const { code, out } = await sluice(url, args);
    expect(code).toBe(1);
    expect(out.slice(1)).toEqual([
      '✗ api @ ccccccc failed: exit code 1',
      '    npm ERR!',
      '  what to do   mend it and merge, or retry (the author of the commit)',
    ]);
    expect(JSON.parse((await sluice(url, [...args, '--json'])).out[0] ?? '')).toMatchObject({ failure });
  });

  it('prints the id and goes, stops watching, and needs a commit', async () => {
    const url = await serving(at({}));
    expect(await sluice(url, [...args, '--no-wait'])).toMatchObject({ code: 0, out: [`api.${commit}`] });
    const interrupt = new AbortController();
    const watching = sluice(url, args, interrupt.signal);
    setTimeout(() => interrupt.abort(), 100);
    expect((await watching).code).toBe(130);
    expect((await sluice(url, ['build', 'api'])).code).toBe(2);
  });
});
