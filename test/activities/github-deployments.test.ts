import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  createGitHubDeployments,
  type GitHubDeploymentRecord,
  type GitHubDeployments,
} from '../../activities/github/deployments.js';
import type { Fault } from '../../sandbox/github/faults.js';
import { createWorld, driven, LATE_MS, type GitHubWorld } from '../support/github-world.js';

let world: GitHubWorld;
let deployments: GitHubDeployments;
let count = 0;

const repo = { owner: 'WordPress', repo: 'openverse' };
const recordOf = (more: Partial<GitHubDeploymentRecord> = {}): GitHubDeploymentRecord => ({
  id: `production.api.abc${(count += 1)}`,
  app: 'api',
  environment: 'production',
  kind: 'release',
  tag: 'rel-2026.01.02.03.04.05',
  actor: 'sara',
  state: 'queued',
  description: 'waits for its turn',
  logUrl: 'https://sluice.example/deployments/1',
  environmentUrl: 'https://api.example',
  ...more,
});
const shown = async (id: string, environment = 'production-api') => {
  const { rest } = world.credentials.octokit();
  const { data } = await rest.repos.listDeployments({ ...repo, environment, per_page: 100 });
  return data.filter(({ payload }) => (payload as { sluice?: string }).sluice === id);
};
const statusesOf = async (number: number) => {
  const { rest } = world.credentials.octokit();
  const { data } = await rest.repos.listDeploymentStatuses({ ...repo, deployment_id: number });
  return data.map(({ state }) => state).reverse();
};

beforeAll(async () => {
  world = await createWorld();
  deployments = createGitHubDeployments(world);
}, 60_000);
afterEach(() => {
  world.github.clearFaults();
  expect(world.wrong).toEqual([]);
});
afterAll(() => world.close());

describe('record', () => {
  it('makes one Deployment, and a status for each change', async () => {
    const ref = world.source.git('rev-parse', 'main');
    const record = recordOf({ ref });
    await deployments.record(record);
    await deployments.record({ ...record, state: 'in_progress', description: 'its tasks start' });
    await deployments.record({ ...record, state: 'success', description: 'it runs' });
    const [one, ...others] = await shown(record.id);
    expect(others).toEqual([]);
    expect(one).toMatchObject({
      sha: ref,
      ref,
      task: 'release',
      environment: 'production-api',
      production_environment: true,
      transient_environment: false,
      payload: { sluice: record.id, actor: 'sara', tag: record.tag, release: ref },
      description: `release of ${record.tag} by sara`,
    });
    const { rest } = world.credentials.octokit();
    const { data } = await rest.repos.listDeploymentStatuses({ ...repo, deployment_id: one?.id ?? 0 });
    expect(data.map(({ state }) => state)).toEqual(['success', 'in_progress', 'queued']);
    expect(data[0]).toMatchObject({
      log_url: 'https://sluice.example/deployments/1',
      environment_url: 'https://api.example',
      description: 'it runs',
    });
  });

  it('says nothing twice, and opens nothing again that has ended', async () => {
    const record = recordOf({ environment: 'staging', state: 'success' });
    await deployments.record(record);
    await deployments.record(record);
    // GitHub ends the one before by itself.
    await deployments.record(recordOf({ environment: 'staging', state: 'success' }));
    await deployments.record(record);
    await deployments.record({ ...record, state: 'in_progress', description: 'late' });
    const [one] = await shown(record.id, 'staging-api');
    expect(one?.production_environment).toBe(false);
    expect(await statusesOf(one?.id ?? 0)).toEqual(['success', 'inactive']);
  });

  it.each([['f'.repeat(40)], ['v1'], [undefined]])(
    'stands at the branch for %s, which is no commit',
    async (ref) => {
      const record = recordOf(ref === undefined ? {} : { ref });
      await deployments.record(record);
      expect(await shown(record.id)).toMatchObject([{ ref: 'main' }]);
    },
  );

  it('sends what GitHub takes: 140 characters, and only links', async () => {
    const record = recordOf({
      description: '🚀'.repeat(200),
      logUrl: 'not a link',
      environmentUrl: undefined,
    });
    await deployments.record(record);
    const [one] = await shown(record.id);
    const { rest } = world.credentials.octokit();
    const { data } = await rest.repos.listDeploymentStatuses({ ...repo, deployment_id: one?.id ?? 0 });
    expect(data).toMatchObject([{ description: `${'🚀'.repeat(139)}…`, log_url: '' }]);
  });

  it('passes over payloads that others made', async () => {
    const { rest } = world.credentials.octokit();
    const common = {
      ...repo,
      ref: 'main',
      environment: 'production-api',
      auto_merge: false,
      required_contexts: [],
    };
    const record = recordOf();
    for (const payload of ['text', '{"sluice":1}', JSON.stringify({ sluice: record.id }), 'null', '[]']) {
      await rest.repos.createDeployment({ ...common, payload });
    }
    await deployments.record(record);
    expect(await shown(record.id)).toEqual([]); // the third one, made as text, was taken
    const { data } = await rest.repos.listDeployments({ ...repo, environment: 'production-api' });
    const taken = data.find(({ payload }) => payload === JSON.stringify({ sluice: record.id }));
    expect(await statusesOf(taken?.id ?? 0)).toEqual(['queued']);
  });
});

const KINDS: Fault[] = [
  { kind: 'bad-gateway' },
  { kind: 'unavailable' },
  { kind: 'not-json' },
  { kind: 'lost-request' },
  { kind: 'lost-answer' },
  { kind: 'hold-after' },
  { kind: 'slow', delayMs: LATE_MS },
];

describe('every call fails once', () => {
  it.each(KINDS)(
    '$kind: one Deployment, each status once',
    async (fault) => {
      const isPatient = fault.kind !== 'slow' && fault.kind !== 'hold-after';
      const credentials = isPatient ? world.credentials : world.impatient;
      const { record } = createGitHubDeployments({ config: world.config, credentials });
      const first = recordOf();
      const base = '/repos/WordPress/openverse/deployments';
      const each = [
        { method: 'POST', ending: '/deployments' },
        { method: 'GET', ending: '/deployments' },
        { method: 'GET', ending: '/statuses' },
        { method: 'POST', ending: '/statuses' },
      ];
      const fail = () => {
        world.github.clearFaults();
        for (const one of each) world.github.fault({ ...fault, ...one, path: base, times: 1 });
      };
      fail();
      const settleMs = isPatient ? 20 : undefined;
      await driven(() => record(first), settleMs);
      fail();
      await driven(
        () => record({ ...first, state: 'in_progress', description: 'its tasks start' }),
        settleMs,
      );
      fail();
      await driven(() => record({ ...first, state: 'failure', description: 'rolled back' }), settleMs);
      if (!isPatient) await sleep(LATE_MS);
      const all = await shown(first.id);
      expect(all).toHaveLength(1);
      expect(await statusesOf(all[0]?.id ?? 0)).toEqual(['queued', 'in_progress', 'failure']);
    },
    60_000,
  );

  it('a double that came of an attempt still under way is put out of use, and the first one goes on', async () => {
    const record = recordOf();
    await deployments.record(record);
    const { rest } = world.credentials.octokit();
    const double = await rest.repos.createDeployment({
      ...repo,
      ref: 'main',
      environment: 'production-api',
      auto_merge: false,
      required_contexts: [],
      payload: { sluice: record.id },
    });
    await deployments.record({ ...record, state: 'in_progress', description: 'its tasks start' });
    await deployments.record({ ...record, state: 'success', description: 'it runs' });
    const number = 'id' in double.data ? double.data.id : 0;
    const [first] = (await shown(record.id)).filter(({ id }) => id !== number);
    expect(await statusesOf(first?.id ?? 0)).toEqual(['queued', 'in_progress', 'success']);
    const asked = world.github.requests().filter(({ method }) => method === 'DELETE');
    expect(asked.at(-1)?.path).toBe(`/repos/WordPress/openverse/deployments/${number}`);
  });
});
