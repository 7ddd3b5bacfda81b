/** What happens at the repository is told by signed webhooks, in GitHub's shapes; and what goes wrong on the way. */
import { execFileSync } from 'node:child_process';
import { Octokit } from '@octokit/rest';
import { verify } from '@octokit/webhooks-methods';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startReceiver, unlikeGitHub, type Receiver } from './github-receiver.js';
import { ask as askOf, createStages, type Ask, type Stage } from './github-support.js';

const REPO = '/repos/{owner}/{repo}';
const SECRET = 'the-secret-ü';
const NOTHING = '0'.repeat(40);
let stages: Awaited<ReturnType<typeof createStages>>;
let stage: Stage;
let receiver: Receiver;
let hook_id: number;

beforeAll(async () => {
  stages = await createStages();
});
afterAll(() => stages.close());
beforeEach(async () => {
  [stage, receiver] = await Promise.all([stages.stage(), startReceiver()]);
  hook_id = stage.github.webhooks.set({ url: receiver.url, secret: SECRET });
  await stage.github.webhooks.settled();
});
afterEach(() => Promise.all([stage.github.close(), receiver.close()]));

const ask = (route: string, options?: Ask) => askOf(stage.github, route, options);
const git = (...args: string[]) => execFileSync('git', args, { cwd: stage.dir, encoding: 'utf8' }).trim();
/** As Sara, by hand. */
const commit = (message: string) => {
  const who = ['-c', 'user.name=Sara', '-c', 'user.email=2+Sara@users.noreply.github.com'];
  git(...who, 'commit', '--quiet', '--allow-empty', '--message', message);
};
/** Of main, once all is told. */
const pushes = async (ref = 'refs/heads/main') => {
  await stage.github.webhooks.settled();
  return receiver.of('push').filter(({ body }) => body.ref === ref);
};

describe('deliveries', () => {
  it('begin with a ping, and are signed over the very bytes', async () => {
    const { github } = stage;
    await github.mergePullRequest({ title: 'Zeile “ü”', author: 'Sara', app: 'api', by: 'sluice' });
    await github.webhooks.settled();
    expect(receiver.received.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['ping', 'push', 'pull_request']),
    );
    for (const { event, headers, raw, guid } of receiver.received) {
      expect(await verify(SECRET, raw, String(headers['x-hub-signature-256']))).toBe(true);
      expect(await verify('another', raw, String(headers['x-hub-signature-256']))).toBe(false);
      expect(headers).toMatchObject({
        'content-type': 'application/json',
        'user-agent': expect.stringMatching(/^GitHub-Hookshot\//) as string,
        'x-github-event': event,
        'x-github-hook-id': String(hook_id),
      });
      expect(guid).toMatch(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
    }
    expect(unlikeGitHub('ping', receiver.of('ping')[0]?.body)).toEqual([]);
  });

  it('of a merge: a push with its commits and files, and the pull request closed', async () => {
    const before = git('rev-parse', 'main');
    const { number } = await stage.github.openPullRequest({
      title: 'Change frontend',
      author: 'newcomer',
      labels: ['x'],
      app: 'frontend',
    });
    const { sha } = await stage.github.mergePullRequest({ number, by: 'Sara' });
    const [push] = await pushes();
    expect(push?.body).toMatchObject({
      ...{ before, after: sha, created: false, deleted: false, forced: false },
      pusher: { name: 'Sara' },
      sender: { login: 'Sara' },
      repository: { full_name: 'WordPress/openverse', pushed_at: expect.any(Number) as number },
      head_commit: {
        id: sha,
        message: `Merge pull request #1 from WordPress/newcomer/change-1\n\nChange frontend`,
      },
    });
    const { commits } = push?.body as { commits: { id: string; modified: string[] }[] };
    expect(commits.map(({ id }) => id)).toEqual(git('rev-list', '--reverse', `${before}..main`).split('\n'));
    expect(commits[0]?.modified).toEqual(['frontend/www/index.html']);
    expect(unlikeGitHub('push', push?.body)).toEqual([]);

    const pulls = receiver.of('pull_request');
    expect(pulls.map(({ body }) => [body.action, body.number, body.pull_request.merged])).toEqual([
      ['opened', 1, false],
      ['closed', 1, true],
    ]);
    expect(pulls[1]?.body).toMatchObject({
      sender: { login: 'Sara' },
      pull_request: { merged_by: { login: 'Sara' }, merge_commit_sha: sha, user: { login: 'newcomer' } },
    });
    for (const { body } of pulls) expect(unlikeGitHub('pull_request', body)).toEqual([]);
    // The branch came and went.
    const branch = await pushes('refs/heads/newcomer/change-1');
    expect(branch.map(({ body }) => [body.created, body.deleted])).toEqual([
      [true, false],
      [false, true],
    ]);
    expect(unlikeGitHub('push', branch[1]?.body)).toEqual([]);
  });

  it('of a push by hand: forward, forced, another branch, a tag, both ways', async () => {
    const { github, commits } = stage;
    const head = git('rev-parse', 'main');
    commit('By hand');
    const after = git('rev-parse', 'main');
    await github.push({ before: head, after, by: 'Sara' });
    await github.push({ after: head, by: 'Sara' });
    expect(git('rev-parse', 'main')).toBe(head);
    await github.push({ ref: 'refs/heads/topic', after: commits.broken.notOnMain, by: 'Sara' });
    await github.push({ ref: 'refs/tags/v1', after: head, by: 'Sara' });
    await github.push({ ref: 'refs/tags/v1', after: NOTHING, by: 'Sara' });
    expect(git('tag', '--list', 'v1')).toBe('');
    await github.webhooks.settled();
    const told = receiver.of('push').map(({ body }) => [body.ref, body.forced, body.commits.length]);
    expect(told).toEqual([
      ['refs/heads/main', false, 1],
      ['refs/heads/main', true, 0],
      ['refs/heads/topic', false, 1],
      ['refs/tags/v1', false, 0],
      ['refs/tags/v1', false, 0],
    ]);
    const unlike = receiver.of('push').flatMap(({ body }) => unlikeGitHub('push', body));
    // GitHub does not know the sample's author either.
    expect(unlike.filter((one) => !one.endsWith('.username is missing'))).toEqual([]);
    await expect(github.push({ by: 'Sara' })).rejects.toThrow('say before, or after');
    await expect(github.push({ before: after, after: commits.good[0], by: 'Sara' })).rejects.toThrow(
      'not at',
    );
  });

  it('of a long push name its last 20 commits; a file that moved is gone there and new here', async () => {
    const head = git('rev-parse', 'main');
    git('mv', 'frontend/www/index.html', 'frontend/www/other.html');
    for (let count = 0; count < 23; count += 1) commit(`Number ${count}`);
    git('mv', 'frontend/www/other.html', 'frontend/www/index.html');
    commit('Back');
    await stage.github.push({ before: head, by: 'Sara' });
    const [push] = await pushes();
    expect(push?.body.commits).toHaveLength(20);
    expect(push?.body.commits.at(-1)).toMatchObject({
      message: 'Back',
      added: ['frontend/www/index.html'],
      removed: ['frontend/www/other.html'],
      modified: [],
    });
    expect(push?.body.head_commit.id).toBe(git('rev-parse', 'main'));
  });

  it('tell what Octokit does, too', async () => {
    const octokit = new Octokit({ baseUrl: stage.github.url, auth: 'ghp_sara' });
    const at = { owner: 'WordPress', repo: 'openverse' };
    const content = Buffer.from('x').toString('base64');
    await octokit.repos.createOrUpdateFileContents({ ...at, path: 'a.txt', message: 'Add a', content });
    const [push] = await pushes();
    expect(push?.body).toMatchObject({ pusher: { name: 'Sara' }, commits: [{ added: ['a.txt'] }] });
  });
});

describe('the log', () => {
  const route = `${REPO}/hooks/{hook_id}/deliveries`;
  const push = () => stage.github.push({ ref: 'refs/tags/one', after: git('rev-parse', 'main'), by: 'Sara' });

  it('says how each went; nothing is sent again unless one asks for it', async () => {
    receiver.answer(500);
    await push();
    await stage.github.webhooks.settled();
    receiver.answer(202);
    const { body } = await ask(`GET ${route}`, { params: { hook_id } });
    expect(body).toMatchObject([
      { event: 'push', status: 'Invalid HTTP Response: 500', status_code: 500, redelivery: false },
      { event: 'ping', status: 'OK', status_code: 202 },
    ]);
    expect(receiver.of('push')).toHaveLength(1);
    const failed = await ask(`GET ${route}`, { params: { hook_id }, query: { status: 'failure' } });
    expect(failed.body.map(({ id }: { id: number }) => id)).toEqual([body[0].id]);
    const first = await ask(`GET ${route}`, { params: { hook_id }, query: { per_page: 1 } });
    expect(first.headers.get('link')).toContain(`cursor=${body[0].id}`);

    const params = { hook_id, delivery_id: body[0].id as number };
    const one = await ask(`GET ${route}/{delivery_id}`, { params });
    expect(one.body).toMatchObject({
      request: { headers: { 'x-github-event': 'push' }, payload: { ref: 'refs/tags/one' } },
      response: { payload: 'heard' },
    });
    expect((await ask(`POST ${route}/{delivery_id}/attempts`, { params })).status).toBe(202);
    await stage.github.webhooks.settled();
    const [before, again] = receiver.of('push');
    expect([again?.guid, again?.raw]).toEqual([before?.guid, before?.raw]);
    expect(stage.github.webhooks.deliveries('push')).toMatchObject([
      { answer: { statusCode: 500 }, redelivery: false },
      { answer: { statusCode: 202 }, redelivery: true },
    ]);
    expect((await stage.github.webhooks.redeliver(params.delivery_id)).guid).toBe(before?.guid);
    await expect(stage.github.webhooks.redeliver(1)).rejects.toThrow('no delivery 1');
  });

  it('knows who could not be reached', async () => {
    await receiver.close();
    await push();
    await stage.github.webhooks.settled();
    expect(stage.github.webhooks.deliveries('push')).toMatchObject([
      { answer: { status: 'failed to connect to host' } },
    ]);
    receiver = await startReceiver();
  });
});

describe('webhooks by REST', () => {
  it('are made, shown without their secret, changed, pinged and removed', async () => {
    const config = { url: `${receiver.url}/two`, secret: SECRET, content_type: 'json' };
    const made = await ask(`POST ${REPO}/hooks`, { body: { config, events: ['push'] } });
    expect([made.status, made.body.config.secret]).toEqual([201, '********']);
    expect((await ask(`POST ${REPO}/hooks`, { body: { config } })).status).toBe(422);
    const params = { hook_id: made.body.id as number };
    expect((await ask(`POST ${REPO}/hooks/{hook_id}/pings`, { params })).status).toBe(204);
    await stage.github.webhooks.settled();
    expect(receiver.of('ping')).toHaveLength(3);
    // Of pushes only, which the first hook hears too.
    await stage.github.mergePullRequest({ title: 'x', author: 'Sara' });
    await stage.github.webhooks.settled();
    const ofTwo = receiver.received.filter(
      ({ headers }) => headers['x-github-hook-id'] === String(params.hook_id),
    );
    expect(new Set(ofTwo.map(({ event }) => event))).toEqual(new Set(['ping', 'push']));
    const patched = await ask(`PATCH ${REPO}/hooks/{hook_id}`, { params, body: { active: false } });
    expect(patched.body.active).toBe(false);
    expect((await ask(`GET ${REPO}/hooks`)).body).toHaveLength(2);
    expect((await ask(`DELETE ${REPO}/hooks/{hook_id}`, { params })).status).toBe(204);
    expect((await ask(`GET ${REPO}/hooks/{hook_id}`, { params })).status).toBe(404);
    expect((await ask(`GET ${REPO}/hooks`, { token: 'ghp_reader' })).status).toBe(404);
  });
});

describe('what goes wrong on the way', () => {
  const tag = (name: string) =>
    stage.github.push({ ref: `refs/tags/${name}`, after: git('rev-parse', 'main'), by: 'Sara' });
  const told = () => receiver.of('push').map(({ body }) => String(body.ref).slice('refs/tags/'.length));

  it('one is lost, and comes when it is delivered anew', async () => {
    const { webhooks } = stage.github;
    webhooks.fault({ kind: 'lost', event: 'push', times: 1 });
    await tag('a');
    await tag('b');
    await webhooks.settled();
    expect(told()).toEqual(['b']);
    const [lost] = webhooks.deliveries('push');
    expect(lost?.answer?.statusCode).toBe(502);
    await webhooks.redeliver(lost?.id ?? 0);
    expect(told()).toEqual(['b', 'a']);
  });

  it('one comes twice under one id', async () => {
    stage.github.webhooks.fault({ kind: 'twice', times: 1 });
    await tag('a');
    await stage.github.webhooks.settled();
    expect(told()).toEqual(['a', 'a']);
    expect(new Set(receiver.of('push').map(({ guid }) => guid)).size).toBe(1);
  });

  it('others overtake one: held until it is released, or late', async () => {
    const { webhooks } = stage.github;
    webhooks.fault({ kind: 'held', event: 'push', skip: 1, times: 1 });
    for (const name of ['a', 'b', 'c']) await tag(name);
    await expect.poll(told).toEqual(['a', 'c']);
    webhooks.release();
    await webhooks.settled();
    expect(told()).toEqual(['a', 'c', 'b']);
    webhooks.fault({ kind: 'late', delayMs: 300, times: 1 });
    await tag('d');
    await tag('e');
    await webhooks.settled();
    expect(told()).toEqual(['a', 'c', 'b', 'e', 'd']);
  });
});
