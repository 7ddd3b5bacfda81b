/** What people do at the stand-in over HTTP alone. */
import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { startReceiver, type Receiver } from './github-receiver.js';
import { ask, createStages, type Stage } from './github-support.js';

let stages: Awaited<ReturnType<typeof createStages>>;
let stage: Stage;
let receiver: Receiver;

beforeAll(async () => {
  stages = await createStages();
});
afterAll(() => stages.close());
beforeEach(async () => {
  [stage, receiver] = await Promise.all([stages.stage(), startReceiver()]);
  stage.github.webhooks.set({ url: receiver.url });
});
afterEach(() => Promise.all([stage.github.close(), receiver.close()]));

const git = (...args: string[]) => execFileSync('git', args, { cwd: stage.dir, encoding: 'utf8' }).trim();
async function play(method: string, path: string, body?: object) {
  const response = await fetch(`${stage.github.url}/_sandbox/${path}`, {
    method,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();

  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

it('open, merge and push, which is told', async () => {
  const opened = await play('POST', 'pulls', { author: 'Sara', title: 'One', app: 'api' });
  const merged = await play('POST', 'merges', { number: opened.body.number, by: 'sluice' });
  expect([merged.status, merged.body.sha]).toEqual([200, git('rev-parse', 'main')]);
  await play('POST', 'merges', { author: 'Sara', app: 'frontend', method: 'squash' });
  const after = merged.body.sha as string;
  expect((await play('POST', 'pushes', { by: 'Sara', after })).status).toBe(204);
  await stage.github.webhooks.settled();
  const told = receiver.of('push').filter(({ body }) => body.ref === 'refs/heads/main');
  expect(told.map(({ body }) => body.forced as boolean)).toEqual([false, false, true]);
  const { body } = await play('GET', 'deliveries');
  expect(body.items.map(({ guid }: { guid: string }) => guid)).toEqual(
    expect.arrayContaining(told.map(({ guid }) => guid)),
  );
});

it('lose a webhook and send it after all', async () => {
  expect((await play('POST', 'webhook-faults', { kind: 'lost', event: 'push', times: 1 })).status).toBe(204);
  await play('POST', 'pushes', { by: 'Sara', ref: 'refs/tags/a', after: git('rev-parse', 'main') });
  await stage.github.webhooks.settled();
  expect(receiver.of('push')).toEqual([]);
  const [lost] = stage.github.webhooks.deliveries('push');
  expect((await play('POST', `deliveries/${lost?.id}/attempts`)).body.guid).toBe(lost?.guid);
  expect(receiver.of('push')).toHaveLength(1);
  expect((await play('DELETE', 'webhook-faults')).status).toBe(204);
});

it('say how a workflow goes, and end a run', async () => {
  await play('PUT', 'workflows/playwright.yml', { frozen: true });
  const inputs = { service_url: 'x', release: 'y' };
  const route = 'POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches';
  const body = { ref: 'main', inputs };
  await ask(stage.github, route, { params: { workflow_id: 'playwright.yml' }, body });
  const [run] = (await play('GET', 'runs')).body.items as { id: number }[];
  expect((await play('POST', `runs/${run?.id}/end`, { conclusion: 'failure' })).status).toBe(204);
  expect(stage.github.workflows.runs()).toMatchObject([{ status: 'completed', conclusion: 'failure' }]);
});

it.each<[string, string, object]>([
  ['POST', 'pulls', {}],
  ['POST', 'pulls', { author: 'Sara', app: 'nothing' }],
  ['POST', 'merges', { number: 9 }],
  ['POST', 'pushes', { by: 'Sara' }],
  ['POST', 'webhook-faults', { kind: 'flood' }],
  ['PUT', 'workflows/playwright.yml', { conclusion: 'fine' }],
  ['POST', 'runs/1/end', {}],
  ['POST', 'deliveries/1/attempts', {}],
])('are refused: %s %s %j', async (method, path, body) => {
  expect((await play(method, path, body)).status).toBe(422);
});

it('merge and look around in a browser', async () => {
  const { github } = stage;
  const page = async (path: string, init?: RequestInit) => {
    const response = await fetch(new URL(path, github.url), init);
    return { status: response.status, url: response.url, html: await response.text() };
  };
  const front = await page('/');
  expect(front.html).toMatch(/<option>Sara<\/option>/);
  expect(front.html).not.toContain('<option>reader');
  const fields = { author: 'Sara', app: 'api', behaviour: 'good' };
  const form = { method: 'POST', body: new URLSearchParams(fields) };
  const merged = await page('/_sandbox/site/merges', form);
  const sha = git('rev-parse', 'main');
  expect([merged.url, merged.html]).toEqual([
    `${github.url}/WordPress/openverse/pull/1`,
    expect.stringContaining('merged by Sara'),
  ]);
  expect((await page(`/WordPress/openverse/commit/${sha}`)).html).toContain('modified api/www/index.html');
  const odd = await github.openPullRequest({ title: '<b>&', author: 'Sara', body: '<script>' });
  const shown = await page(`/WordPress/openverse/pull/${odd.number}`);
  expect(shown.html).toContain('&lt;b&gt;&amp;');
  expect(shown.html).not.toContain('<script>');
  const body = new URLSearchParams({ number: String(odd.number) });
  expect((await page('/_sandbox/site/merges', { method: 'POST', body })).html).toContain('merged by Sara');
  expect((await page('/_sandbox/site/merges', { method: 'POST', body })).status).toBe(422);
  expect((await page('/WordPress/openverse/pull/9')).status).toBe(404);
  expect((await page('/WordPress/other/pull/1')).status).toBe(404);
});
