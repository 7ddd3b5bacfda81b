import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { promotionWorkflowId } from '../../domain/ids.js';
import { MEMO, WORKFLOW } from '../../domain/messages.js';
import type { CompareInput, Compared, Plan, RenderedPlan, RenderPlanInput } from '../../domain/plan.js';
import { eventually, failing, script, scriptedWorkers } from '../support/scripted.js';
import type { TestTemporal } from '../support/temporal.js';
import { connect } from '../support/temporal.js';
import { harness } from './harness.js';
import type { Harness } from './harness.js';

const RUNS = 'f'.repeat(40);
const TAG = 'a'.repeat(40);
const TARGET = { app: 'api', environment: 'staging' };
const NOTHING = { added: [], removed: [], changed: [] };

const acts = {
  ...script(),
  renderPlan: async (input: RenderPlanInput): Promise<RenderedPlan> => ({
    runs: RUNS,
    images: [{ container: 'django', before: 'r/openverse-api:old', after: `r/openverse-api:${input.tag}` }],
    variables: { ...NOTHING, added: ['NEW'] },
    secrets: NOTHING,
  }),
  compareCommits: async (_input: CompareInput): Promise<Compared> => ({
    status: 'ahead',
    commits: [{ sha: TAG, title: 'Mend it', author: 'sara' }],
    commitCount: 1,
  }),
};
const defaults = { ...acts };
const calls: { name: string; input: unknown }[] = [];

let temporal: TestTemporal;
let workers: { stop(): Promise<void> };
let api: Harness;

beforeAll(async () => {
  temporal = await connect();
  workers = await scriptedWorkers(temporal, acts, calls);
  api = await harness({ address: temporal.address, namespace: temporal.namespace });
  await eventually(
    async () => expect((await ask({ kind: 'deploy', ...TARGET, tag: TAG })).status).toBe(200),
    30_000,
  );
  calls.length = 0;
}, 120_000);
afterEach(() => {
  Object.assign(acts, defaults);
  calls.length = 0;
});
afterAll(async () => {
  await api.close();
  await workers.stop();
  await temporal.close();
});

type Answer = Plan & { error?: { code: string; message: string } };
async function ask(payload: object, as = 't-alice') {
  const { status, body } = await api.call({ method: 'POST', url: '/api/plans', payload, as });
  return { status, body: body as Answer };
}
const refusal = ({ status, body }: { status: number; body: Answer }) => [status, body.error?.code];

describe('POST /api/plans', () => {
  it('says what a deployment would do, by its own reads, and writes nothing', async () => {
    const { status, body } = await ask({ kind: 'deploy', ...TARGET, tag: TAG, reason: 'why' });
    expect(status).toBe(200);
    expect(body).toEqual({
      ...{ kind: 'deploy', ...TARGET, tag: TAG, release: TAG, before: RUNS },
      commits: [{ sha: TAG, title: 'Mend it', author: 'sara' }],
      commitCount: 1,
      images: [{ container: 'django', before: 'r/openverse-api:old', after: `r/openverse-api:${TAG}` }],
      variables: { ...NOTHING, added: ['NEW'] },
      secrets: NOTHING,
      warnings: [],
    });
    expect(calls.map(({ name }) => name)).toEqual(['validate', 'look', 'renderPlan', 'compareCommits']);
    expect((await api.call({ url: '/api/deployments' })).body).toEqual({ items: [] });
  });

  it('a commit that is not built yet is built first', async () => {
    acts.validate = failing('TAG_NOT_FOUND', 'openverse-api has no such tag');
    const { body } = await ask({ kind: 'deploy', ...TARGET, commit: TAG });
    expect(body.warnings).toMatchObject([{ code: 'BUILDING' }]);
    expect(body.images).toHaveLength(1);
    expect(calls.find(({ name }) => name === 'renderPlan')?.input).not.toHaveProperty('images');
    const tag = await ask({ kind: 'deploy', ...TARGET, tag: TAG });
    expect(tag.body.refusal).toEqual({
      ...{ step: 'validate', code: 'TAG_NOT_FOUND', message: 'openverse-api has no such tag' },
    });
  });

  it('a rollback: where it goes back to, and which commits go', async () => {
    acts.compareCommits = async () => ({ status: 'behind', commits: [], commitCount: 3 });
    const { body } = await ask({ kind: 'rollback', ...TARGET });
    expect(body).toMatchObject({ tag: 'rel-1', release: TAG, back: true, commitCount: 3 });
    expect(body.warnings).toMatchObject([{ code: 'VARIABLES_MISSING' }]);
    acts.planRollback = failing('NO_ROLLBACK_TARGET', 'none was verified');
    const none = await ask({ kind: 'rollback', ...TARGET });
    expect(none.body.refusal).toMatchObject({ code: 'NO_ROLLBACK_TARGET' });
  });

  it('a rollback behind another deployment is decided later', async () => {
    const { plan } = await defaults.planRollback({ ...TARGET });
    acts.planRollback = async ({ atTurn }) =>
      atTurn && plan ? { plan } : { undecided: 'staging.api.before11' };
    const { body } = await ask({ kind: 'rollback', ...TARGET });
    expect(body).toMatchObject({ tag: 'rel-1' });
    expect(body.warnings.at(-1)).toMatchObject({ code: 'LANE_BUSY' });
    expect(body.warnings.at(-1)?.message).toContain('staging.api.before11');
  });

  it('a redeployment of what runs, and a release under the tag that it will get', async () => {
    const redeploy = await ask({ kind: 'redeploy', ...TARGET });
    expect(redeploy.body).toMatchObject({ tag: 'b'.repeat(40), release: 'b'.repeat(40) });
    const release = await ask({ kind: 'release', app: 'api', tag: TAG });
    expect(release.body).toMatchObject({ environment: 'production', tag: TAG });
    expect(release.body.images[0]?.after).toMatch(/:rel-YYYY\.MM\.DD/);
    calls.length = 0;
    const only = await ask({ kind: 'release', app: 'ingestion_server', tag: TAG });
    expect(only.body).toMatchObject({ release: TAG, images: [{ container: 'django' }] });
    expect(calls.map(({ name }) => name)).toEqual(['validate']);
  });

  it('an approval: what staging runs of the promotion goes by its digests, with its tests', async () => {
    const deploy = { method: 'POST' as const, url: '/api/deployments', payload: { ...TARGET, tag: TAG } };
    const { id } = (await api.call(deploy)).body as { id: string };
    await eventually(async () => {
      expect((await api.call({ url: `/api/deployments/${id}` })).body).toMatchObject({ state: 'finished' });
    }, 20_000);
    const attempts = [{ attempt: 1, state: 'passed', startedAt: '2026-01-01T00:00:00.000Z' }];
    const tests = { state: 'passed', attempt: 1, attempts };
    const current = { id: `api.${TAG}`, release: TAG, stage: 'awaiting-approval', staging: id, tests };
    const show = async (promotion: object) => {
      const handle = await temporal.client.workflow.start(WORKFLOW.promotionQueue, {
        workflowId: promotionWorkflowId('api'),
        workflowIdConflictPolicy: 'TERMINATE_EXISTING',
        // Its record alone is read.
        taskQueue: 'nobody',
        memo: { [MEMO.promotions]: { app: 'api', current: promotion } },
      });
      return handle;
    };
    await show(current);
    calls.length = 0;
    const { status, body } = await ask({ kind: 'promotion', app: 'api', release: TAG });
    expect([status, body]).toMatchObject([
      200,
      { environment: 'production', release: TAG, tests, warnings: [] },
    ]);
    expect(calls.find(({ name }) => name === 'validate')?.input).toMatchObject({
      digests: { 'openverse-api': expect.stringMatching(/^sha256:/) },
    });
    await show({ ...current, stage: 'testing' });
    const early = await ask({ kind: 'promotion', app: 'api' });
    expect(early.body.warnings).toMatchObject([{ code: 'NOT_UNLOCKED' }]);
    expect(refusal(await ask({ kind: 'promotion', app: 'api', release: RUNS }))).toEqual([
      409,
      'NOT_UNLOCKED',
    ]);
    // What was adopted runs on staging already; what is on its way there does not.
    const { staging: _staging, ...adopted } = current;
    await show(adopted);
    expect((await ask({ kind: 'promotion', app: 'api' })).body).toMatchObject({ release: TAG, warnings: [] });
    await show({ ...adopted, stage: 'staging' });
    expect(refusal(await ask({ kind: 'promotion', app: 'api' }))).toEqual([409, 'NOT_UNLOCKED']);
  });

  it('says that it runs there already, and what is not known', async () => {
    acts.renderPlan = async (input) => ({ ...(await defaults.renderPlan(input)), runs: TAG });
    const same = await ask({ kind: 'deploy', ...TARGET, tag: TAG });
    expect(same.body.warnings).toMatchObject([{ code: 'ALREADY_RUNS' }]);
    acts.renderPlan = async (input) => {
      const { runs: _runs, ...rest } = await defaults.renderPlan(input);
      return rest;
    };
    const unknown = await ask({ kind: 'deploy', ...TARGET, tag: TAG });
    expect(unknown.body).toMatchObject({ commits: [], warnings: [{ code: 'COMMITS_UNKNOWN' }] });
    acts.renderPlan = defaults.renderPlan;
    acts.compareCommits = failing('GITHUB_DOWN', 'GitHub answers 502');
    const down = await ask({ kind: 'deploy', ...TARGET, tag: TAG });
    expect(down.body.warnings[0]?.message).toContain('GitHub answers 502');
    expect(down.body.images).toHaveLength(1);
  });

  it('is refused as the request itself is', async () => {
    expect(refusal(await ask({ kind: 'deploy', ...TARGET, tag: TAG }, 't-eve'))).toEqual([
      403,
      'NOT_A_MAINTAINER',
    ]);
    for (const body of [
      { kind: 'deploy', ...TARGET },
      { kind: 'deploy', app: 'api', tag: TAG },
      { kind: 'deploy', ...TARGET, tag: TAG, again: true },
      { kind: 'deploy', ...TARGET, tag: '-rf' },
      { kind: 'release', app: 'api', environment: 'production', tag: TAG },
      { kind: 'release', app: 'api' },
      { kind: 'rollback', app: 'frontend', environment: 'production' },
      { kind: 'other', ...TARGET, tag: TAG },
      { kind: 'deploy', ...TARGET, tag: TAG, actor: 'root' },
    ]) {
      expect(refusal(await ask(body))).toEqual([400, 'BAD_REQUEST']);
    }
    await api.call({ method: 'PUT', url: '/api/locks/staging/api', payload: { reason: 'wait' } });
    expect(refusal(await ask({ kind: 'deploy', ...TARGET, tag: TAG }))).toEqual([409, 'LOCKED']);
    expect((await ask({ kind: 'rollback', ...TARGET, override: true })).status).toBe(200);
    await api.call({ method: 'DELETE', url: '/api/locks/staging/api' });
  });

  it('marks, and an outage', async () => {
    acts.validate = async (input) => ({ ...(await defaults.validate(input)), bad: 'broke search' });
    const bad = await ask({ kind: 'deploy', ...TARGET, tag: 'moving' });
    expect(bad.body.refusal).toMatchObject({ step: 'validate', code: 'RELEASE_BAD' });
    const anyway = await ask({ kind: 'deploy', ...TARGET, tag: 'moving', override: true });
    expect(anyway.body.refusal).toBeUndefined();
    acts.validate = failing('AWS_DOWN', 'ECR throttles');
    expect(refusal(await ask({ kind: 'deploy', ...TARGET, tag: TAG }))).toEqual([503, 'AWS_DOWN']);
  });

  it('needs a worker, and says so', async () => {
    const nobody = await connect();
    const alone = await harness({ address: nobody.address, namespace: nobody.namespace });
    const payload = { kind: 'deploy', ...TARGET, tag: TAG };
    const { status, body } = await alone.call({ method: 'POST', url: '/api/plans', payload });
    expect([status, body]).toMatchObject([503, { error: { code: 'NO_WORKER' } }]);
    await alone.close();
    await nobody.close();
  }, 40_000);
});
