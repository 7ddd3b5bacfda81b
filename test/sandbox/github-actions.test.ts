/** GitHub Actions at the stand-in: dispatched as GitHub takes it, and runs that go on by themselves. */
import { execFileSync } from 'node:child_process';
import { Octokit } from '@octokit/rest';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startReceiver, unlikeGitHub, type Receiver } from './github-receiver.js';
import { ask as askOf, createStages, type Ask, type Stage } from './github-support.js';

const REPO = '/repos/{owner}/{repo}';
const FILE = 'playwright.yml';
const DISPATCH = `POST ${REPO}/actions/workflows/{workflow_id}/dispatches`;
const INPUTS = { service_url: 'http://127.0.0.1:1', release: 'a'.repeat(40), marker: 'sluice-1' };
let stages: Awaited<ReturnType<typeof createStages>>;
let stage: Stage;
let receiver: Receiver;

beforeAll(async () => {
  stages = await createStages();
});
afterAll(() => stages.close());
beforeEach(async () => {
  [stage, receiver] = await Promise.all([stages.stage(), startReceiver()]);
  stage.github.webhooks.set({ url: receiver.url, events: ['workflow_run'] });
});
afterEach(() => Promise.all([stage.github.close(), receiver.close()]));

const ask = (route: string, options?: Ask) => askOf(stage.github, route, options);
const git = (...args: string[]) => execFileSync('git', args, { cwd: stage.dir, encoding: 'utf8' }).trim();
const dispatch = (body: object = {}, workflow_id: string | number = FILE, token?: string) =>
  ask(DISPATCH, {
    params: { workflow_id },
    body: { ref: 'main', inputs: INPUTS, ...body },
    ...(token ? { token } : {}),
  });
const runOf = async (run_id: number) =>
  (await ask(`GET ${REPO}/actions/runs/{run_id}`, { params: { run_id } })).body;
const list = async (query: Ask['query'] = {}) =>
  (await ask(`GET ${REPO}/actions/workflows/{workflow_id}/runs`, { params: { workflow_id: FILE }, query }))
    .body;
/** A run that was dispatched with its details asked for. */
const start = async (body: object = {}) =>
  (await dispatch({ return_run_details: true, ...body })).body.workflow_run_id as number;
const ended = (id: number) =>
  expect.poll(async () => (await runOf(id)).status as string, { timeout: 15_000 }).toBe('completed');

describe('a dispatch', () => {
  it('gives the run’s id where it is asked for, and the run ends by itself', async () => {
    const { status, body } = await dispatch({ return_run_details: true });
    expect([status, body.html_url]).toEqual([200, expect.stringContaining('/actions/runs/') as string]);
    const id = body.workflow_run_id as number;
    expect(await runOf(id)).toMatchObject({
      display_title: 'Playwright sluice-1',
      event: 'workflow_dispatch',
      head_branch: 'main',
      head_sha: git('rev-parse', 'main'),
      run_attempt: 1,
      actor: { login: 'sluice' },
    });
    await ended(id);
    expect((await runOf(id)).conclusion).toBe('success');
    await stage.github.webhooks.settled();
    const told = receiver.of('workflow_run');
    expect(
      told.map(({ body: one }) => [one.action, one.workflow_run.status, one.workflow_run.conclusion]),
    ).toEqual([
      ['requested', 'queued', null],
      ['in_progress', 'in_progress', null],
      ['completed', 'completed', 'success'],
    ]);
    for (const { body: one } of told) expect(unlikeGitHub('workflow_run', one)).toEqual([]);
    expect(stage.github.effects('dispatch')).toMatchObject([{ by: 'sluice', what: String(id) }]);
  });

  it('gives nothing where it is not asked for, or by a GitHub that does not know how', async () => {
    const { github } = stage;
    expect((await dispatch()).status).toBe(204);
    github.workflows.runDetails('ignored');
    expect((await dispatch({ return_run_details: true })).status).toBe(204);
    github.workflows.runDetails('refused');
    const refused = await dispatch({ return_run_details: true });
    expect([refused.status, refused.body.message]).toEqual([
      422,
      expect.stringContaining('"return_run_details" is not a permitted key.'),
    ]);
    expect((await dispatch()).status).toBe(204);
    expect(github.workflows.runs(FILE)).toHaveLength(3);
  });

  it.each<[number, RegExp, object]>([
    [422, /^No ref found for: [0-9a-f]{40}$/, { ref: 'SHA' }],
    [422, /^No ref found for: nowhere$/, { ref: 'nowhere' }],
    [422, /"ref" wasn't supplied/, { ref: undefined }],
    [422, /^Unexpected inputs provided: \["strange"\]$/, { inputs: { ...INPUTS, strange: 'x' } }],
    [422, /^Required input 'release' not provided$/, { inputs: { service_url: 'x' } }],
    [422, /is not a string/, { inputs: { ...INPUTS, marker: { a: 1 } } }],
  ])('%i %s', async (status, message, body) => {
    const ref = 'ref' in body && body.ref === 'SHA' ? { ref: git('rev-parse', 'main') } : {};
    const refused = await dispatch({ ...body, ...ref });
    expect([refused.status, refused.body.message]).toEqual([status, expect.stringMatching(message)]);
    expect(stage.github.effectCounts().dispatch).toBe(0);
  });

  it('takes a tag, the workflow’s id, and the file as it stands on the ref', async () => {
    git('tag', 'v1', 'main');
    const text = 'name: Tests\non: { workflow_dispatch: { inputs: { only: { default: all } } } }\n';
    const files = { [`.github/workflows/${FILE}`]: text, '.github/workflows/push.yml': 'on: push\n' };
    await stage.github.mergePullRequest({ title: 'Change the workflow', author: 'Sara', files });
    const workflow = await ask(`GET ${REPO}/actions/workflows/{workflow_id}`, {
      params: { workflow_id: FILE },
    });
    expect((await dispatch({ ref: 'v1' }, workflow.body.id as number)).status).toBe(204);
    expect((await dispatch()).body.message).toContain('Unexpected inputs');
    expect((await dispatch({ inputs: undefined })).status).toBe(204);
    expect(stage.github.workflows.runs().map(({ title, branch, inputs }) => [title, branch, inputs])).toEqual(
      [
        ['Playwright sluice-1', 'v1', INPUTS],
        ['Tests', 'main', { only: 'all' }],
      ],
    );
    expect((await dispatch({}, 'push.yml')).body.message).toContain("'workflow_dispatch' trigger");
    expect((await dispatch({}, 'none.yml')).status).toBe(404);
    expect((await ask(`GET ${REPO}/actions/workflows`)).body.total_count).toBe(2);
  });

  it('wants the right to write', async () => {
    stage.github.addToken({ login: 'sara', token: 'github_pat_1', permissions: { contents: 'write' } });
    expect((await dispatch({}, FILE, 'github_pat_1')).status).toBe(403);
    expect((await dispatch({}, FILE, 'ghp_reader')).status).toBe(404);
    stage.github.addToken({ login: 'sara', token: 'github_pat_2', permissions: { actions: 'write' } });
    expect((await dispatch({}, FILE, 'github_pat_2')).status).toBe(204);
  });

  it('whose answer is lost has run all the same, and is found by its marker', async () => {
    stage.github.fault({ kind: 'lost-answer', ending: '/dispatches', times: 1 });
    const since = new Date(Date.now() - 2_000).toISOString();
    await expect(dispatch({ return_run_details: true })).rejects.toThrow();
    const found = await list({ event: 'workflow_dispatch', branch: 'main', created: `>=${since}` });
    expect(found.workflow_runs.map((run: { display_title: string }) => run.display_title)).toEqual([
      'Playwright sluice-1',
    ]);
    expect(stage.github.effectCounts().dispatch).toBe(1);
  });
});

describe('runs', () => {
  it('are listed newest first, filtered, and late where it is said', async () => {
    const { workflows } = stage.github;
    workflows.behave(FILE, { frozen: true });
    const [first, second] = [await start(), await start({ inputs: { ...INPUTS, marker: 'sluice-2' } })];
    const ids = async (query: Ask['query'] = {}) =>
      (await list(query)).workflow_runs.map(({ id }: { id: number }) => id);
    expect(await ids()).toEqual([second, first]);
    expect(await ids({ per_page: 1, page: 2 })).toEqual([first]);
    expect(await ids({ created: '>2100-01-01' })).toEqual([]);
    expect(await ids({ event: 'push' })).toEqual([]);
    expect(await ids({ branch: 'other' })).toEqual([]);
    await expect.poll(() => ids({ status: 'in_progress' }), { timeout: 15_000 }).toEqual([second, first]);
    workflows.finish(first, 'failure');
    expect(await ids({ status: 'failure' })).toEqual([first]);
    workflows.behave(FILE, { frozen: true, listedAfterMs: 4_000 });
    const third = await start();
    expect(await ids()).toEqual([second, first]);
    await expect.poll(() => ids(), { timeout: 15_000 }).toEqual([third, second, first]);
    expect((await ask(`GET ${REPO}/actions/runs`)).body.total_count).toBe(3);
  });

  it('end as they are told to, by workflow, inputs and attempt', async () => {
    const { workflows } = stage.github;
    workflows.behave(FILE, ({ inputs, attempt }) => ({
      queuedMs: 0,
      durationMs: 10,
      conclusion: inputs['marker'] === 'bad' && attempt === 1 ? 'failure' : 'success',
      frozen: attempt === 2,
    }));
    const [good, bad] = [await start(), await start({ inputs: { ...INPUTS, marker: 'bad' } })];
    await Promise.all([ended(good), ended(bad)]);
    expect([(await runOf(good)).conclusion, (await runOf(bad)).conclusion]).toEqual(['success', 'failure']);

    const params = { run_id: bad };
    const rerun = () => ask(`POST ${REPO}/actions/runs/{run_id}/rerun`, { params });
    expect((await rerun()).status).toBe(201);
    expect(await runOf(bad)).toMatchObject({ id: bad, run_attempt: 2, conclusion: null });
    expect((await rerun()).status).toBe(403);
    await expect.poll(async () => (await runOf(bad)).status as string).toBe('in_progress');
    workflows.finish(bad, 'success');
    expect(await runOf(bad)).toMatchObject({
      conclusion: 'success',
      previous_attempt_url: expect.stringMatching(/attempts\/1$/) as string,
    });
    await workflows.rerun(bad, 'Sara');
    expect((await runOf(bad)).triggering_actor.login).toBe('Sara');
    await ended(bad);
    await stage.github.webhooks.settled();
    const ofBad = receiver.of('workflow_run').filter(({ body }) => body.workflow_run.id === bad);
    expect(ofBad.map(({ body }) => `${body.action} ${body.workflow_run.run_attempt}`)).toEqual([
      ...['requested 1', 'in_progress 1', 'completed 1'],
      ...['in_progress 2', 'completed 2', 'in_progress 3', 'completed 3'],
    ]);
    expect(stage.github.effectCounts()).toMatchObject({ dispatch: 2, rerun: 1 });
  });

  it('are cancelled, once', async () => {
    stage.github.workflows.behave(FILE, { frozen: 'queued' });
    const id = await start();
    const cancel = () => ask(`POST ${REPO}/actions/runs/{run_id}/cancel`, { params: { run_id: id } });
    expect((await cancel()).status).toBe(202);
    await ended(id);
    expect((await runOf(id)).conclusion).toBe('cancelled');
    expect((await cancel()).status).toBe(409);
    expect(() => stage.github.workflows.finish(1, 'success')).toThrow('no run 1');
    expect(stage.github.effectCounts().cancel).toBe(1);
  });

  it('are followed by Octokit', async () => {
    const octokit = new Octokit({ baseUrl: stage.github.url, auth: 'ghp_sara' });
    const at = { owner: 'WordPress', repo: 'openverse' };
    const dispatched = await octokit.actions.createWorkflowDispatch({
      ...{ ...at, workflow_id: FILE, ref: 'main', inputs: INPUTS },
      return_run_details: true,
    });
    expect(dispatched.status).toBe(200);
    const { data } = await octokit.actions.listWorkflowRuns({ ...at, workflow_id: FILE });
    expect(data.workflow_runs[0]?.actor?.login).toBe('Sara');
  });
});
