/** What `sluice doctor` finds of a bot's scopes: it posts, and has to find what it posted again. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { checkSlack } from '../../clients/doctor/slack.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** @param channel as Slack tells of it; absent: it may not be read */
async function examine(scopes: string, channel?: object): Promise<string[]> {
  server = createServer((request, response) => {
    const info = channel ? { ok: true, channel } : { ok: false, error: 'missing_scope' };
    const body = request.url?.endsWith('auth.test') ? { ok: true, team: 'Acme', user: 'sluice' } : info;
    response.writeHead(200, { 'content-type': 'application/json', 'x-oauth-scopes': scopes });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const findings = await checkSlack({
    ...{ SLACK_BOT_TOKEN: 'xoxb-x', SLACK_CHANNEL: 'C1' },
    SLACK_API_URL: `http://127.0.0.1:${port}/api/`,
  });
  return findings
    .filter(({ what }) => what === 'scopes')
    .map(({ state, detail = '', hint }) => `${state}: ${detail}${hint ? ` → ${hint}` : ''}`);
}

describe('the scopes of a bot', () => {
  const open = { name: 'deploys', is_member: true, is_private: false };
  const closed = { ...open, is_private: true };

  it.each([
    ['chat:write,channels:history', undefined, 'ok: chat:write, channels:history'],
    ['chat:write,groups:history', undefined, 'ok: chat:write, groups:history'],
    ['chat:write,channels:history,channels:read', open, 'ok: chat:write, channels:history, channels:read'],
    ['chat:write,groups:history,groups:read', closed, 'ok: chat:write, groups:history, groups:read'],
  ])('%s are enough', async (scopes, channel, words) => {
    expect(await examine(scopes, channel)).toEqual([words]);
  });

  it.each([
    ['chat:write', undefined, 'chat:write: channels:history or groups:history is missing'],
    ['channels:history', undefined, 'channels:history: chat:write is missing'],
    ['chat:write,channels:history', closed, 'chat:write, channels:history: groups:history is missing'],
    ['chat:write,groups:history', open, 'chat:write, groups:history: channels:history is missing'],
  ])('%s are not', async (scopes, channel, words) => {
    expect(await examine(scopes, channel)).toEqual([`broken: ${words} → add it and install the app anew`]);
  });
});
