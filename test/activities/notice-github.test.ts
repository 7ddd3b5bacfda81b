import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createNoticeGitHub } from '../../activities/notice/github.js';
import { createCredentials } from '../../clients/github-credentials.js';
import type { Config } from '../../domain/config/config.js';
import { failureOf } from '../support/failures.js';
import { createWorld, driven, testConfig, type GitHubWorld } from '../support/github-world.js';
import { noticeOf } from '../support/notices.js';

const repo = { owner: 'WordPress', repo: 'openverse' };
const ended = { outcome: 'succeeded', verified: true } as const;
const service = { service: 'p-api', template: 't', family: 'f', url: 'https://api.example' };
const config: Config = {
  ...testConfig(),
  apps: {
    api: {
      ...{ paths: [], images: [], releaseOnly: false, build: 'sluice', prepare: [] },
      environments: { production: service },
    },
  },
};

let world: GitHubWorld;
let tell: ReturnType<typeof createNoticeGitHub>;
let count = 0;
let id: string;

beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterEach(() => {
  world.github.clearFaults();
  expect(world.wrong).toEqual([]);
});
afterAll(() => world.close());

const start = (): void => {
  id = `production.api.notice${(count += 1)}`;
  tell = createNoticeGitHub({ config, credentials: world.credentials, publicUrl: 'https://sluice.example' });
};

async function shown() {
  const { rest } = world.credentials.octokit();
  const { data } = await rest.repos.listDeployments({
    ...repo,
    environment: 'production-api',
    per_page: 100,
  });
  const ours = data.filter(({ payload }) => (payload as { sluice?: string }).sluice === id);
  const statuses = await Promise.all(
    ours.map(async ({ id: deployment_id }) => {
      const listed = await rest.repos.listDeploymentStatuses({ ...repo, deployment_id });
      return listed.data.map(({ state, description }) => ({ state, description })).reverse();
    }),
  );
  return { ours, statuses };
}

describe('noticeGitHub', () => {
  it('shows one Deployment with a status for each change', async () => {
    start();
    const ref = world.source.git('rev-parse', 'main');
    for (const notice of [
      noticeOf('started', { id, release: ref }),
      noticeOf('slow', { id, release: ref }),
      noticeOf('ended', { id, release: ref, ...ended }),
    ]) {
      await tell(notice);
      await tell(notice);
    }
    const { ours, statuses } = await shown();
    expect(ours).toMatchObject([{ ref, task: 'release', payload: { sluice: id, actor: 'alice' } }]);
    expect(statuses).toEqual([
      [
        { state: 'in_progress', description: 'it is starting' },
        { state: 'in_progress', description: 'it is taking too long; the work goes on' },
        { state: 'success', description: 'it runs' },
      ],
    ]);
    const { rest } = world.credentials.octokit();
    const { data } = await rest.repos.listDeploymentStatuses({ ...repo, deployment_id: ours[0]?.id ?? 0 });
    expect(data[0]).toMatchObject({
      log_url: `https://sluice.example/deployments/${id}`,
      environment_url: 'https://api.example',
    });
  });

  it('records what ended before it was told of', async () => {
    start();
    const failure = { step: 'validate', code: 'TAG_NOT_FOUND', message: 'no such tag' } as const;
    await tell(noticeOf('ended', { id, outcome: 'rejected', failure }));
    await tell(noticeOf('started', { id }));
    expect((await shown()).statuses).toEqual([
      [{ state: 'error', description: 'it was rejected: nothing was changed. no such tag' }],
    ]);
  });

  it('has one, with each status once, where every answer is lost once', async () => {
    start();
    for (const notice of [noticeOf('started', { id }), noticeOf('ended', { id, ...ended })]) {
      world.github.fault({ kind: 'lost-answer', times: 2 });
      await driven(() => tell(notice), 20);
    }
    const { statuses } = await shown();
    expect(statuses.map((each) => each.map(({ state }) => state))).toEqual([['in_progress', 'success']]);
  });

  it('does nothing without credentials', async () => {
    start();
    const env = { GITHUB_API_URL: world.github.url };
    const before = world.github.requests().length;
    await createNoticeGitHub({ config, credentials: createCredentials(env, config) })(
      noticeOf('started', { id }),
    );
    expect(world.github.requests()).toHaveLength(before);
  });

  it('says what is wrong with an App whose token cannot be had, and tries again', async () => {
    start();
    const credentials = {
      ...world.credentials,
      token: () => Promise.reject(new Error('no')),
    };
    world.github.fault({ kind: 'unavailable', times: 1 });
    const failed = await failureOf(createNoticeGitHub({ config, credentials })(noticeOf('started', { id })));
    expect(failed).toMatchObject({ type: 'GITHUB_DOWN', nonRetryable: false });
  });
});
