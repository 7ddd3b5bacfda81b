/** The stand-in's repository is a real one: refs, commits and files, in GitHub's shapes. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('the repository and its commits', () => {
  it('is there, and another is not', async () => {
    const { body } = await ask(`GET ${REPO}`);
    expect(body).toMatchObject({
      full_name: 'WordPress/openverse',
      default_branch: 'main',
      permissions: { push: true },
    });
    expect((await ask(`GET ${REPO}`, { params: { repo: 'other' } })).status).toBe(404);
    expect((await ask(`GET ${REPO}`, { params: { owner: 'wordPRESS' } })).status).toBe(200);
  });

  it('gives a commit by branch, tag, whole and short SHA', async () => {
    const head = git('rev-parse', 'main');
    git('tag', 'one/two', 'main~1');
    for (const ref of ['main', head, head.slice(0, 10)]) {
      const { body } = await ask(`GET ${REPO}/commits/{ref}`, { params: { ref } });
      expect(body).toMatchObject({ sha: head, commit: { message: 'Mend the version of api' }, author: null });
      expect(body.files.map((file: { filename: string }) => file.filename)).toContain('api/Dockerfile');
      expect(body.stats.total).toBe(body.stats.additions + body.stats.deletions);
    }
    const tagged = await ask(`GET ${REPO}/commits/{ref}`, { params: { ref: 'one/two' } });
    expect(tagged.body.sha).toBe(git('rev-parse', 'main~1'));
    const missing = await ask(`GET ${REPO}/commits/{ref}`, { params: { ref: 'nowhere' } });
    expect([missing.status, missing.body.message]).toEqual([422, 'No commit found for SHA: nowhere']);
  });

  it('lists commits of a path, page by page', async () => {
    const all = git('rev-list', 'main').split('\n');
    const first = await ask(`GET ${REPO}/commits`, { query: { per_page: 2 } });
    expect(first.body.map((one: { sha: string }) => one.sha)).toEqual(all.slice(0, 2));
    expect(first.headers.get('link')).toMatch(/per_page=2&page=2>; rel="next", <.*page=4>; rel="last"$/);
    const last = await ask(`GET ${REPO}/commits`, { query: { per_page: 2, page: 4 } });
    expect([last.body.length, last.headers.get('link')]).toEqual([
      all.length - 6,
      expect.not.stringContaining('next'),
    ]);
    const frontend = await ask(`GET ${REPO}/commits`, { query: { path: 'frontend' } });
    expect(frontend.body).toHaveLength(git('rev-list', 'main', '--', 'frontend').split('\n').length);
  });

  it.each([
    ['main~2...main', 'ahead', 2, 0],
    ['main...main~2', 'behind', 0, 2],
    ['main...main', 'identical', 0, 0],
    ['main...feature', 'diverged', 1, 5],
  ])('compares %s: %s', async (range, status, ahead, behind) => {
    const [base = '', head = ''] = range
      .split('...')
      .map((name) => (name.includes('~') ? git('rev-parse', name) : name));
    const { body } = await ask(`GET ${REPO}/compare/{basehead}`, {
      params: { basehead: `${base}...${head}` },
    });
    expect(body).toMatchObject({ status, ahead_by: ahead, behind_by: behind, total_commits: ahead });
    const commits = git('rev-list', '--reverse', `${base}..${head}`).split('\n').filter(Boolean);
    expect(body.commits.map((one: { sha: string }) => one.sha)).toEqual(commits);
    expect(body.files.length > 0).toBe(ahead > 0);
  });

  it('has nothing to compare with what is not there', async () => {
    const { status } = await ask(`GET ${REPO}/compare/{basehead}`, {
      params: { basehead: 'main...nowhere' },
    });
    expect(status).toBe(404);
  });
});

describe('refs', () => {
  const create = (ref: string, sha = stage.commits.good[0]) =>
    ask(`POST ${REPO}/git/refs`, { body: { ref, sha } });

  it('makes branches and tags for real, once', async () => {
    const sha = stage.commits.good[0];
    expect((await create('refs/heads/changelog/api-1')).body).toMatchObject({
      object: { sha, type: 'commit' },
    });
    expect((await create('refs/tags/api-1')).status).toBe(201);
    expect([git('rev-parse', 'changelog/api-1'), git('rev-parse', 'refs/tags/api-1')]).toEqual([sha, sha]);
    const again = await create('refs/tags/api-1', stage.commits.good[1]);
    expect([again.status, again.body.message]).toEqual([422, 'Reference already exists']);
    expect(stage.github.effects()).toMatchObject([
      { kind: 'branch', by: 'sluice', what: 'changelog/api-1', detail: sha },
      { kind: 'tag', what: 'api-1' },
    ]);
    const read = await ask(`GET ${REPO}/git/ref/{ref}`, { params: { ref: 'heads/changelog/api-1' } });
    expect(read.body).toMatchObject({ ref: 'refs/heads/changelog/api-1', object: { sha } });
    expect((await ask(`GET ${REPO}/git/ref/{ref}`, { params: { ref: 'tags/api' } })).status).toBe(404);
    const matching = await ask(`GET ${REPO}/git/matching-refs/{ref}`, { params: { ref: 'tags/api' } });
    expect(matching.body).toHaveLength(1);
  });

  it.each([
    ['tags/x', undefined, /must start with 'refs\/'/],
    ['refs/tags/a b', undefined, /not a valid ref name/],
    ['refs/tags/--x..y', undefined, /not a valid ref name/],
    ['refs/tags/x', 'abc', /exactly 40 characters/],
    ['refs/tags/x', 'f'.repeat(40), /Object does not exist/],
  ])('refuses %s at %s', async (ref, sha, message) => {
    const { status, body } = await create(ref, sha);
    expect([status, body.message]).toEqual([422, expect.stringMatching(message)]);
    expect(stage.github.effects()).toEqual([]);
  });

  it('moves forward only, unless forced, and deletes', async () => {
    const [first, second] = stage.commits.good;
    const params = { ref: 'heads/b' };
    await create('refs/heads/b', second);
    const back = await ask(`PATCH ${REPO}/git/refs/{ref}`, { params, body: { sha: first } });
    expect([back.status, back.body.message]).toEqual([422, 'Update is not a fast forward']);
    expect(
      (await ask(`PATCH ${REPO}/git/refs/{ref}`, { params, body: { sha: first, force: true } })).status,
    ).toBe(200);
    expect(git('rev-parse', 'b')).toBe(first);
    expect((await ask(`DELETE ${REPO}/git/refs/{ref}`, { params })).status).toBe(204);
    expect((await ask(`DELETE ${REPO}/git/refs/{ref}`, { params })).status).toBe(422);
    expect(git('branch', '--list', 'b')).toBe('');
  });

  it('one of many at once makes it', async () => {
    const made = await Promise.all(Array.from({ length: 6 }, () => create('refs/tags/race')));
    expect(made.map(({ status }) => status).toSorted()).toEqual([201, 422, 422, 422, 422, 422]);
    expect(stage.github.effectCounts().tag).toBe(1);
  });
});

describe('contents', () => {
  const path = 'documentation/changelogs/api/2026.01.02.03.04.05.md';
  const put = (body: object, at = path) => ask(`PUT ${REPO}/contents/{path}`, { params: { path: at }, body });

  it('writes a commit on the branch, reads it, and updates by its SHA', async () => {
    git('branch', 'changelog');
    const text = '# Zeilen\n\n- `$(rm)` & “ü”\n';
    const made = await put({ message: 'Publish', content: base64(text), branch: 'changelog' });
    expect([made.status, made.body.content.path]).toEqual([201, path]);
    expect(git('show', `changelog:${path}`)).toBe(text.trim());
    expect(git('log', '-1', '--format=%s %an', 'changelog')).toBe('Publish sluice');
    expect(git('rev-parse', 'changelog')).toBe(made.body.commit.sha);

    const read = await ask(`GET ${REPO}/contents/{path}`, { params: { path }, query: { ref: 'changelog' } });
    expect(Buffer.from(read.body.content, 'base64').toString('utf8')).toBe(text);
    expect((await ask(`GET ${REPO}/contents/{path}`, { params: { path } })).status).toBe(404);

    const blind = await put({ message: 'Again', content: base64('x'), branch: 'changelog' });
    expect([blind.status, blind.body.message]).toEqual([
      422,
      expect.stringContaining('"sha" wasn\'t supplied'),
    ]);
    const stale = await put({
      message: 'Again',
      content: base64('x'),
      branch: 'changelog',
      sha: 'a'.repeat(40),
    });
    expect([stale.status, stale.body.message]).toEqual([409, expect.stringContaining('does not match')]);
    const sha = read.body.sha as string;
    expect((await put({ message: 'Again', content: base64('x'), branch: 'changelog', sha })).status).toBe(
      200,
    );
    expect(stage.github.effectCounts().commit).toBe(2);
  });

  it('on main, the work tree follows', async () => {
    await put({ message: 'Note', content: base64('hello\n') }, 'note.txt');
    expect(readFileSync(join(stage.dir, 'note.txt'), 'utf8')).toBe('hello\n');
    expect(git('status', '--porcelain')).toBe('');
  });

  it('lists a directory, and knows no ref that is not there', async () => {
    const { body } = await ask(`GET ${REPO}/contents/{path}`, { params: { path: 'api' } });
    expect(body.map((one: { name: string; type: string }) => `${one.name} ${one.type}`)).toEqual(
      expect.arrayContaining(['Dockerfile file', 'www dir']),
    );
    const none = await ask(`GET ${REPO}/contents/{path}`, {
      params: { path: 'api' },
      query: { ref: 'nowhere' },
    });
    expect(none.status).toBe(404);
  });

  it.each([
    [404, { message: 'm', content: '', branch: 'nowhere' }, path],
    [422, { content: '' }, path],
    [422, { message: 'm' }, path],
    [422, { message: 'm', content: 'not base64!' }, path],
    [422, { message: 1, content: '' }, path],
    [422, { message: 'm', content: '' }, 'a/../.git/config'],
    [409, { message: 'm', content: '', sha: 'b'.repeat(40) }, path],
  ])('%i for %j at %s', async (status, body, at) => {
    const before = git('rev-parse', '--all');
    expect((await put(body, at)).status).toBe(status);
    expect(git('rev-parse', '--all')).toBe(before);
  });
});
