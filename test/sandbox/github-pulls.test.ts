/** What becomes of a pull request: merged by a person, found by its commit, commented, with statuses. */
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

describe('a merge by REST', () => {
  const merge = (pull_number: number, body?: object, token = 'ghp_sara') =>
    ask(`PUT ${REPO}/pulls/{pull_number}/merge`, {
      params: { pull_number },
      token,
      ...(body ? { body } : {}),
    });
  const open = (title: string) => stage.github.openPullRequest({ title, author: 'newcomer', app: 'api' });

  it('makes a real commit: with two parents, or squashed', async () => {
    const before = git('rev-parse', 'main');
    const first = await open('First');
    const merged = await merge(first.number);
    expect(merged.body).toMatchObject({ merged: true, sha: git('rev-parse', 'main') });
    expect(git('rev-list', '--parents', '-1', 'main').split(' ').slice(1)).toEqual([before, first.sha]);
    const second = await open('Second');
    const words = { commit_title: 'Another title', commit_message: 'And why', merge_method: 'squash' };
    await merge(second.number, { ...words, sha: second.sha });
    expect(git('log', '-1', '--format=%B|%P', 'main').split('|')).toEqual([
      'Another title\n\nAnd why',
      merged.body.sha,
    ]);
    expect(git('branch', '--list', 'newcomer/*')).toBe('');

    const of = async (commit_sha: string) =>
      (await ask(`GET ${REPO}/commits/{commit_sha}/pulls`, { params: { commit_sha } })).body as {
        number: number;
      }[];
    expect(await of(git('rev-parse', 'main'))).toMatchObject([{ number: 2, state: 'closed' }]);
    expect(await of(merged.body.sha as string)).toMatchObject([{ number: 1 }]);
    const one = await ask(`GET ${REPO}/pulls/{pull_number}`, { params: { pull_number: 2 } });
    expect(one.body).toMatchObject({
      merged: true,
      merged_by: { login: 'Sara' },
      user: { login: 'newcomer' },
    });
    expect(stage.github.effects('merge')).toMatchObject([{ by: 'Sara' }, { by: 'Sara' }]);
  });

  it('is refused where it cannot be, or not by this person', async () => {
    const { number, sha } = await open('First');
    const other = await open('In its way');
    expect((await merge(number, undefined, 'ghp_reader')).status).toBe(404);
    expect((await merge(number, { sha: 'a'.repeat(40) })).status).toBe(409);
    expect((await merge(number, { merge_method: 'rebase' })).status).toBe(405);
    expect((await merge(number, { merge_method: 'octopus' })).status).toBe(422);
    expect((await merge(9)).status).toBe(404);
    expect((await merge(number, { sha })).status).toBe(200);
    expect((await merge(number)).status).toBe(405);
    // Both changed the same line.
    expect((await merge(other.number)).status).toBe(405);
    expect(stage.github.effectCounts().merge).toBe(1);
  });
});

describe('comments', () => {
  const OF = `${REPO}/issues/{issue_number}/comments`;
  const ONE = `${REPO}/issues/comments/{comment_id}`;

  it('are made, found, edited in place, and counted', async () => {
    const { number } = await stage.github.openPullRequest({ title: 't', author: 'Sara' });
    const params = { issue_number: number };
    const made = await ask(`POST ${OF}`, { params, body: { body: 'On its way\n<!-- sluice:1 -->' } });
    expect(made.body).toMatchObject({ user: { login: 'sluice' }, author_association: 'MEMBER' });
    await ask(`POST ${OF}`, { params, body: { body: 'Thanks' }, token: 'ghp_reader' });
    const id = { comment_id: made.body.id as number };
    const edited = await ask(`PATCH ${ONE}`, { params: id, body: { body: 'There\n<!-- sluice:1 -->' } });
    expect(edited.status).toBe(200);
    const { body } = await ask(`GET ${OF}`, { params });
    expect(body.map((one: { body: string }) => one.body)).toEqual(['There\n<!-- sluice:1 -->', 'Thanks']);
    expect((await ask(`GET ${OF}`, { params, query: { per_page: 1, page: 2 } })).body).toHaveLength(1);
    expect((await ask(`GET ${ONE}`, { params: id })).body.body).toContain('There');
    expect(stage.github.effectCounts()).toMatchObject({ comment: 2, 'comment-edit': 1 });
    const pull = await ask(`GET ${REPO}/pulls/{pull_number}`, { params: { pull_number: number } });
    expect(pull.body.comments).toBe(2);
  });

  it('are refused: nothing in it, no such pull request, another’s', async () => {
    const { number } = await stage.github.openPullRequest({ title: 't', author: 'Sara' });
    const params = { issue_number: number };
    expect((await ask(`POST ${OF}`, { params, body: { body: ' ' } })).status).toBe(422);
    expect((await ask(`POST ${OF}`, { params, body: {} })).status).toBe(422);
    expect((await ask(`POST ${OF}`, { params, body: { body: 'x'.repeat(65_537) } })).status).toBe(422);
    expect((await ask(`POST ${OF}`, { params: { issue_number: 9 }, body: { body: 'x' } })).status).toBe(404);
    expect((await ask(`GET ${OF}`, { params: { issue_number: 9 } })).status).toBe(404);
    const made = await ask(`POST ${OF}`, { params, body: { body: 'x' } });
    const edit = (token: string, comment_id = made.body.id as number) =>
      askOf(stage.github, `PATCH ${ONE}`, { params: { comment_id }, body: { body: 'y' }, token });
    expect((await edit('ghp_reader')).status).toBe(404);
    expect((await edit('ghp_sara')).status).toBe(200);
    expect((await edit('ghp_sara', 1)).status).toBe(404);
  });
});

describe('statuses of a commit', () => {
  it('are added, and the newest of each context counts', async () => {
    const [sha = ''] = stage.commits.good;
    const add = (state: string, context = 'sluice/production', at = sha) =>
      ask(`POST ${REPO}/statuses/{sha}`, {
        params: { sha: at },
        body: { state, context, description: 'd', target_url: 'https://sluice.example/x' },
      });
    const combined = async () =>
      (await ask(`GET ${REPO}/commits/{ref}/status`, { params: { ref: sha } })).body;
    expect(await combined()).toMatchObject({ state: 'pending', total_count: 0 });
    expect((await add('pending')).body).toMatchObject({ creator: { login: 'sluice' } });
    await add('success', 'other');
    expect(await combined()).toMatchObject({ state: 'pending', total_count: 2 });
    await add('success');
    expect(await combined()).toMatchObject({ state: 'success', total_count: 2 });
    expect((await ask(`GET ${REPO}/commits/{ref}/statuses`, { params: { ref: sha } })).body).toHaveLength(3);
    expect((await add('done')).status).toBe(422);
    expect((await add('success', 'x', 'f'.repeat(40))).status).toBe(422);
    expect(stage.github.effectCounts()['commit-status']).toBe(3);
  });
});
