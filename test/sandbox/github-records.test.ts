/** What the stand-in keeps beside Git: pull requests, labels, releases and deployments, in GitHub's shapes. */
import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask as askOf, createStages, type Ask, type Stage } from './github-support.js';

const REPO = '/repos/{owner}/{repo}';
let stages: Awaited<ReturnType<typeof createStages>>;
let stage: Stage;

beforeAll(async () => {
  stages = await createStages();
});
afterAll(() => stages.close());
beforeEach(async () => {
  stage = await stages.stage();
});
afterEach(() => stage.github.close());

const ask = (route: string, options?: Ask) => askOf(stage.github, route, options);
const git = (...args: string[]) => execFileSync('git', args, { cwd: stage.dir, encoding: 'utf8' }).trim();
const numbers = (items: { number: number }[]) => items.map(({ number }) => number);

describe('pull requests', () => {
  const create = (body: object) => ask(`POST ${REPO}/pulls`, { body });
  const changelog = { title: 'Publish changelog', head: 'feature', base: 'main', body: '@sara' };

  it('are opened once for a head, found by it, and labelled', async () => {
    git('branch', 'topic');
    const content = { message: 'Note', content: 'eA==', branch: 'topic' };
    await ask(`PUT ${REPO}/contents/{path}`, { params: { path: 'note.md' }, body: content });
    const made = await create({ ...changelog, head: 'topic' });
    expect(made.body).toMatchObject({
      number: 1,
      state: 'open',
      mergeable: true,
      user: { login: 'sluice' },
      commits: 1,
    });
    const again = await create({ ...changelog, head: 'WordPress:topic' });
    expect(again.status).toBe(422);
    expect(again.body.errors).toEqual([
      {
        resource: 'PullRequest',
        code: 'custom',
        message: 'A pull request already exists for WordPress:topic.',
      },
    ]);
    const list = (query: Ask['query']) => ask(`GET ${REPO}/pulls`, { query: { state: 'all', ...query } });
    expect(numbers((await list({ head: 'WordPress:topic' })).body)).toEqual([1]);
    expect((await list({ head: 'WordPress:main' })).body).toEqual([]);
    expect((await list({ base: 'other' })).body).toEqual([]);
    const labels = ['🧱 stack: api', 'skip-changelog'];
    const params = { issue_number: 1 };
    const route = `${REPO}/issues/{issue_number}/labels`;
    expect((await ask(`POST ${route}`, { params, body: { labels } })).body).toHaveLength(2);
    await ask(`POST ${route}`, { params, body: { labels: labels.slice(1) } });
    const shown = (await ask(`GET ${route}`, { params })).body.map(({ name }: { name: string }) => name);
    expect(shown).toEqual(labels);
    expect((await ask(`PUT ${route}`, { params, body: { labels: ['x'] } })).body).toHaveLength(1);
    expect((await ask(`POST ${route}`, { params: { issue_number: 9 }, body: { labels } })).status).toBe(404);
    expect((await ask(`POST ${route}`, { params, body: {} })).status).toBe(422);
    expect(stage.github.effectCounts()).toMatchObject({ pull: 1, labels: 3 });
  });

  it.each([
    [
      { ...changelog, head: 'nowhere' },
      { field: 'head', code: 'invalid' },
    ],
    [
      { ...changelog, base: 'nowhere' },
      { field: 'base', code: 'invalid' },
    ],
    [
      { ...changelog, title: '' },
      { field: 'title', code: 'missing_field' },
    ],
    [
      { ...changelog, title: 'x'.repeat(257) },
      { code: 'custom', field: 'title' },
    ],
    [
      { ...changelog, head: 'main' },
      { code: 'custom', message: 'No commits between main and main' },
    ],
  ])('are refused: %o', async (body, error) => {
    const { status, body: said } = await create(body);
    expect([status, said.errors]).toMatchObject([422, [{ resource: 'PullRequest', ...error }]]);
  });

  it('are closed by hand or by deleting their branch, and opened anew', async () => {
    expect((await create(changelog)).body).toMatchObject({ mergeable: false, mergeable_state: 'dirty' });
    const params = { pull_number: 1 };
    const patch = (body: object) => ask(`PATCH ${REPO}/pulls/{pull_number}`, { params, body });
    expect((await patch({ state: 'closed' })).body).toMatchObject({ state: 'closed', merged: false });
    expect((await create(changelog)).body.number).toBe(2);
    await ask(`DELETE ${REPO}/git/refs/{ref}`, { params: { ref: 'heads/feature' } });
    const second = await ask(`GET ${REPO}/pulls/{pull_number}`, { params: { pull_number: 2 } });
    expect(second.body).toMatchObject({ state: 'closed', head: { sha: stage.commits.broken.notOnMain } });
    expect((await ask(`GET ${REPO}/pulls/{pull_number}`, { params: { pull_number: 3 } })).status).toBe(404);
  });

  it('are merged by people, with a real commit that names them', async () => {
    const { github } = stage;
    const before = git('rev-parse', 'main');
    const first = await github.mergePullRequest({
      title: 'Add “`x`” & more',
      author: 'newcomer',
      labels: ['🧱 stack: api'],
      app: 'api',
    });
    const second = await github.mergePullRequest({
      title: 'Mend',
      author: 'Sara',
      files: { 'frontend/a.txt': 'a' },
      method: 'squash',
    });
    expect([git('rev-parse', 'main~1'), git('rev-parse', 'main')]).toEqual([first.sha, second.sha]);
    expect(git('rev-parse', `${first.sha}^1`)).toBe(before);
    expect(git('rev-list', '--parents', '-1', second.sha).split(' ')).toHaveLength(2);
    expect(git('diff', '--name-only', before, first.sha)).toBe('api/www/index.html');
    expect(git('branch', '--list', '*change*')).toBe('');
    expect(git('status', '--porcelain')).toBe('');

    const { body } = await ask(`GET ${REPO}/pulls`, {
      query: { state: 'closed', sort: 'created', direction: 'asc' },
    });
    expect(body).toMatchObject([
      {
        number: 1,
        title: 'Add “`x`” & more',
        merge_commit_sha: first.sha,
        user: { login: 'newcomer' },
        labels: [{ name: '🧱 stack: api' }],
      },
      { number: 2, merge_commit_sha: second.sha, user: { login: 'Sara' } },
    ]);
    expect(Date.parse(body[0].merged_at)).not.toBeNaN();
    const of = (commit_sha: string) =>
      ask(`GET ${REPO}/commits/{commit_sha}/pulls`, { params: { commit_sha } });
    expect(numbers((await of(first.sha)).body)).toEqual([1]);
    expect(numbers((await of(git('rev-parse', `${first.sha}^2`))).body)).toEqual([1]);
    expect((await of(before)).body).toEqual([]);
    const commit = await ask(`GET ${REPO}/commits/{ref}`, { params: { ref: second.sha } });
    expect(commit.body.author).toMatchObject({ login: 'Sara' });
    await expect(github.mergePullRequest({ number: 1 })).rejects.toThrow('cannot be merged');
  });

  it('are opened, and merged later', async () => {
    const { github } = stage;
    const opened = await github.openPullRequest({ title: 'Later', author: 'Sara' });
    expect(git('rev-parse', opened.branch)).toBe(opened.sha);
    const open = await ask(`GET ${REPO}/pulls`);
    expect(open.body[0].merge_commit_sha).toMatch(/^[0-9a-f]{40}$/);
    const { sha } = await github.mergePullRequest({ number: opened.number, by: 'sluice' });
    const merged = await ask(`GET ${REPO}/pulls/{pull_number}`, { params: { pull_number: 1 } });
    expect(merged.body).toMatchObject({
      merged: true,
      merge_commit_sha: sha,
      merged_by: { login: 'sluice' },
    });
  });

  it('are searched', async () => {
    const { github } = stage;
    const merge = (title: string, label: string, at: string) =>
      github.mergePullRequest({ title, author: 'Sara', labels: [label], at });
    await merge('one', '🧱 stack: api', '2026-01-01T10:00:00Z');
    await merge('two', '🧱 stack: api', '2026-02-01T10:00:00Z');
    await merge('three', 'skip-changelog', '2026-02-02T10:00:00Z');
    await github.openPullRequest({ title: 'four', author: 'reader', labels: ['🧱 stack: api'] });
    const found = async (q: string) => {
      const { body } = await ask('GET /search/issues', {
        query: { q: `repo:WordPress/openverse ${q}`, order: 'asc' },
      });
      return numbers(body.items);
    };
    expect(await found('is:pr is:merged label:"🧱 stack: api"')).toEqual([1, 2]);
    expect(await found('is:merged merged:>2026-01-01')).toEqual([2, 3]);
    expect(await found('is:merged merged:2026-01-01..2026-02-01')).toEqual([1, 2]);
    expect(await found('is:merged -label:skip-changelog author:sara')).toEqual([1, 2]);
    expect(await found('is:open four')).toEqual([4]);
    expect((await ask('GET /search/issues', { query: { q: 'involves:sara' } })).status).toBe(422);
    expect((await ask('GET /search/issues')).status).toBe(422);
  });
});

describe('releases', () => {
  const create = (body: object, token?: string) =>
    ask(`POST ${REPO}/releases`, { body, ...(token ? { token } : {}) });
  const byTag = (tag: string) => ask(`GET ${REPO}/releases/tags/{tag}`, { params: { tag } });

  it('make the tag at their target, once', async () => {
    const [target = '', other = ''] = stage.commits.good;
    const made = await create({ tag_name: 'api-1', target_commitish: target, name: 'api-1', body: 'notes' });
    expect(made.body).toMatchObject({
      tag_name: 'api-1',
      target_commitish: target,
      draft: false,
      author: { login: 'sluice' },
    });
    expect(git('rev-parse', 'api-1')).toBe(target);
    const again = await create({ tag_name: 'api-1', target_commitish: other });
    expect([again.status, again.body.message]).toEqual([422, 'Validation Failed']);
    expect(again.body.errors).toEqual([{ resource: 'Release', code: 'already_exists', field: 'tag_name' }]);
    expect((await byTag('api-1')).body.id).toBe(made.body.id);
    expect((await byTag('api-2')).status).toBe(404);
    expect(stage.github.effectCounts()).toMatchObject({ tag: 1, release: 1 });
  });

  it('leave a tag that is there where it is', async () => {
    git('tag', 'api-1', stage.commits.good[1] ?? '');
    expect((await create({ tag_name: 'api-1', target_commitish: stage.commits.good[0] })).status).toBe(201);
    expect(git('rev-parse', 'api-1')).toBe(stage.commits.good[1]);
    expect(stage.github.effectCounts().tag).toBe(0);
  });

  it('are drafts without a tag until they are published', async () => {
    const { body } = await create({ tag_name: 'api-1', draft: true });
    expect([body.published_at, git('tag')]).toEqual([null, '']);
    expect((await byTag('api-1')).status).toBe(404);
    expect((await ask(`GET ${REPO}/releases`, { token: 'ghp_reader' })).body).toEqual([]);
    const params = { release_id: body.id };
    const done = await ask(`PATCH ${REPO}/releases/{release_id}`, {
      params,
      body: { draft: false, name: 'one' },
    });
    expect(done.body).toMatchObject({ draft: false, name: 'one', tag_name: 'api-1' });
    expect(git('rev-parse', 'api-1')).toBe(git('rev-parse', 'main'));
    expect((await ask(`GET ${REPO}/releases/latest`)).body.id).toBe(body.id);
    expect((await ask(`GET ${REPO}/releases/{release_id}`, { params })).body.id).toBe(body.id);
    expect(
      (await ask(`PATCH ${REPO}/releases/{release_id}`, { params: { release_id: 1 }, body: {} })).status,
    ).toBe(404);
  });

  it('are listed newest first, in pages', async () => {
    for (const tag_name of ['api-1', 'api-2', 'api-3']) await create({ tag_name });
    const page = (page: number) => ask(`GET ${REPO}/releases`, { query: { per_page: 2, page } });
    const tags = async (number: number) =>
      (await page(number)).body.map((one: { tag_name: string }) => one.tag_name);
    expect([await tags(1), await tags(2), await tags(3)]).toEqual([['api-3', 'api-2'], ['api-1'], []]);
    expect((await page(1)).headers.get('link')).toContain('rel="next"');
    expect((await page(2)).headers.get('link')).toMatch(/rel="prev".*rel="first"/);
  });

  it.each([
    [{}, undefined],
    [{ tag_name: 'a b' }, { code: 'custom', field: 'tag_name' }],
    [
      { tag_name: 'x', target_commitish: 'nowhere' },
      { code: 'invalid', field: 'target_commitish' },
    ],
    [
      { tag_name: 'x', body: 'y'.repeat(125_001) },
      { code: 'custom', field: 'body' },
    ],
    [{ tag_name: 'x', draft: 'yes' }, undefined],
  ])('are refused: %#', async (body, error) => {
    const { status, body: said } = await create(body);
    expect(status).toBe(422);
    if (error) expect(said.errors).toMatchObject([{ resource: 'Release', ...error }]);
    expect(stage.github.effects()).toEqual([]);
  });
});

describe('deployments', () => {
  const create = (body: object) => ask(`POST ${REPO}/deployments`, { body });
  const plain = () => ({
    ref: stage.commits.good[0],
    auto_merge: false,
    required_contexts: [],
    environment: 'staging-api',
  });
  const STATUSES = `${REPO}/deployments/{deployment_id}/statuses`;

  it('are made, found by what they carry, and get statuses', async () => {
    const made = await create({ ...plain(), payload: { sluice: 'staging.api.x1' }, description: 'api' });
    const { id } = made.body;
    expect(made.body).toMatchObject({
      sha: plain().ref,
      payload: { sluice: 'staging.api.x1' },
      task: 'deploy',
      production_environment: false,
    });
    await create({ ...plain(), environment: 'production-api', task: 'rollback' });
    const ids = async (query: Ask['query']) => {
      const { body } = await ask(`GET ${REPO}/deployments`, { query });
      return body.map((one: { environment: string }) => one.environment);
    };
    expect(await ids({})).toEqual(['production-api', 'staging-api']);
    expect(await ids({ environment: 'staging-api', sha: plain().ref ?? '' })).toEqual(['staging-api']);
    expect(await ids({ task: 'rollback' })).toEqual(['production-api']);
    expect(await ids({ ref: 'main' })).toEqual([]);

    const params = { deployment_id: id };
    const status = (body: object) => ask(`POST ${STATUSES}`, { params, body });
    const log_url = 'https://sluice.example/deployments/1';
    expect(
      (await status({ state: 'in_progress', log_url, description: 'x'.repeat(140) })).body,
    ).toMatchObject({ state: 'in_progress', log_url });
    await status({ state: 'success', environment_url: 'https://staging.example' });
    const { body } = await ask(`GET ${STATUSES}`, { params });
    expect(body.map((one: { state: string }) => one.state)).toEqual(['success', 'in_progress']);
    expect((await ask(`GET ${REPO}/deployments/{deployment_id}`, { params })).body.id).toBe(id);
    expect(stage.github.effectCounts()).toMatchObject({ deployment: 2, status: 2 });
  });

  it('make earlier successes inactive, production’s not', async () => {
    const succeed = async (environment: string, production_environment: boolean) => {
      const { body } = await create({ ...plain(), environment, production_environment });
      await ask(`POST ${STATUSES}`, { params: { deployment_id: body.id }, body: { state: 'success' } });
      return body.id as number;
    };
    const first = {
      staging: await succeed('staging-api', false),
      production: await succeed('production-api', true),
    };
    await succeed('staging-api', false);
    await succeed('production-api', true);
    const last = async (deployment_id: number) =>
      (await ask(`GET ${STATUSES}`, { params: { deployment_id } })).body[0].state;
    expect([await last(first.staging), await last(first.production)]).toEqual(['inactive', 'success']);
  });

  it('conflict where GitHub would merge or waits for checks', async () => {
    const behind = await create({ ref: stage.commits.good[0], required_contexts: [] });
    expect([behind.status, behind.body.message]).toEqual([
      409,
      expect.stringContaining('Conflict merging main into'),
    ]);
    const waits = await create({ ...plain(), required_contexts: ['ci'] });
    expect([waits.status, waits.body.message]).toEqual([
      409,
      expect.stringContaining('status checks failed'),
    ]);
    expect((await create({ ref: 'feature' })).status).toBe(409);
    git('branch', 'topic', stage.commits.good[0] ?? '');
    const merged = await create({ ref: 'topic' });
    expect([merged.status, merged.body.message]).toEqual([202, 'Auto-merged main into topic on deployment.']);
    expect(git('rev-parse', 'topic^2')).toBe(git('rev-parse', 'main'));
    expect(stage.github.effectCounts().deployment).toBe(0);
    expect((await create({ ref: 'main' })).status).toBe(201);
  });

  it('are refused', async () => {
    expect((await create({ ...plain(), ref: 'nowhere' })).body.message).toBe('No ref found for: nowhere');
    expect((await create({})).status).toBe(422);
    expect((await create({ ...plain(), environment: 'e'.repeat(256) })).status).toBe(422);
    expect((await create({ ...plain(), payload: 5 })).status).toBe(422);
    const { body } = await create(plain());
    const status = (sent: object, deployment_id = body.id as number) =>
      ask(`POST ${STATUSES}`, { params: { deployment_id }, body: sent });
    expect((await status({ state: 'done' })).body.errors).toMatchObject([
      { resource: 'DeploymentStatus', field: 'state' },
    ]);
    expect((await status({ state: 'success', description: 'x'.repeat(141) })).body.errors).toMatchObject([
      { field: 'description' },
    ]);
    expect((await status({ state: 'success', log_url: 'javascript:alert(1)' })).status).toBe(422);
    expect((await status({ state: 'success' }, 1)).status).toBe(404);
    expect((await ask(`GET ${STATUSES}`, { params: { deployment_id: 1 } })).status).toBe(404);
    expect(stage.github.effectCounts().status).toBe(0);
  });
});
