/** A made-up site that stands in every state at once: each stage, what is waited for, what failed. */
import type { Merge, Promotion, PromotionQueueView } from '../../../domain/promotion/promotion.js';
import type { Place, Settings, ShownDeployment, ShownRelease } from '../../../dashboard/model/types.js';
import { FAILED, history, ROLLING } from './deployments.js';
import { PLACES, standing } from './places.js';
import {
  ago,
  commit,
  DAY,
  HOUR,
  live,
  merge,
  MINUTE,
  passed,
  promotion,
  queue,
  release,
  REPOSITORY,
  waits,
} from './parts.js';

export interface FakeWorld {
  settings: Settings;
  places: Place[];
  queues: PromotionQueueView[];
  /** Under way, and what has ended. */
  deployments: ShownDeployment[];
  releases: ShownRelease[];
}

/** What went to production before. */
const promoted = (app: string, age: number, by: string, merges: Merge[]): Promotion =>
  promotion(app, merges, 'promoted', {
    ...{ queuedAt: ago(age + HOUR), startedAt: ago(age + HOUR), finishedAt: ago(age) },
    approval: { by, at: ago(age + 5 * MINUTE), release: live(app), digests: {}, tests: 'passed' },
  });

/** Unlocked: the button is open. */
const frontend = queue('frontend', {
  state: 'waiting',
  current: promotion(
    'frontend',
    [
      merge('77aa001', 'Show the licence beside each result', 'bob', 4402),
      merge('1a2b3c4', 'Search by collection', 'alice', 4411),
    ],
    'awaiting-approval',
    {
      ...{ startedAt: ago(47 * MINUTE), stagedAt: ago(40 * MINUTE), testedAt: ago(22 * MINUTE) },
      tests: passed(2),
      waitingFor: waits(
        'APPROVAL',
        ago(22 * MINUTE),
        '1a2b3c4 is tested and has to be approved for production',
      ),
    },
  ),
  waiting: [
    promotion('frontend', [merge('c0ffee1', 'Footer links open where they should', 'carol', 4415)], 'queued'),
    promotion('frontend', [merge('d15ea5e', 'Upgrade the router', 'renovate', 4416)], 'queued'),
    promotion('frontend', [merge('f005ba1', 'Remember the last search', 'bob', 4419)], 'queued'),
  ],
  recent: [
    promoted('frontend', 3 * DAY, 'bob', [
      merge('51de0ba', 'Smaller icons', 'carol', 4388),
      merge('9f8e7d6', 'Faster first page', 'dora', 4390),
    ]),
    promotion('frontend', [merge('beef123', 'New colours', 'carol', 4380)], 'rejected', {
      ...{ finishedAt: ago(4 * DAY), by: 'alice', reason: 'contrast is too low in the dark' },
    }),
  ],
});

/** On its way to staging. */
const api = queue('api', {
  state: 'busy',
  current: promotion('api', [merge('5e6f7a8', 'Cache thumbnails for a day', 'dora', 4413)], 'staging', {
    ...{ startedAt: ago(2 * MINUTE), staging: ROLLING.id },
  }),
  recent: [promoted('api', 2 * DAY, 'bob', [merge('b0a7e55', 'Sort by relevance', 'dora', 4393)])],
});

/** Its tests run. */
const thumbnails = queue('thumbnails', {
  state: 'busy',
  current: promotion('thumbnails', [merge('ab12cd3', 'Serve AVIF', 'bob', 4409)], 'testing', {
    ...{ startedAt: ago(12 * MINUTE), stagedAt: ago(6 * MINUTE) },
    tests: {
      ...{ state: 'running', attempt: 1, url: `${REPOSITORY}/actions/runs/90` },
      attempts: [{ attempt: 1, state: 'running', startedAt: ago(5 * MINUTE) }],
    },
  }),
  recent: [promoted('thumbnails', 5 * DAY, 'alice', [merge('5ca1ab1', 'Sharper at 2x', 'bob', 4371)])],
});

/** Failed on its way to production. */
const catalogue = queue('catalogue', {
  state: 'idle',
  current: promotion(
    'catalogue',
    [merge('0ddba11', 'Index titles in every language', 'carol', 4398)],
    'failed',
    {
      ...{ failedStage: 'production', finishedAt: ago(9 * MINUTE), tests: passed(1), production: FAILED.id },
      failure: {
        code: 'ROLLED_BACK',
        message: 'ECS rolled back to the previous revision: its tasks ended with exit code 1',
      },
      approval: { by: 'bob', at: ago(18 * MINUTE), release: commit('0ddba11'), digests: {}, tests: 'passed' },
    },
  ),
  recent: [promoted('catalogue', 6 * DAY, 'bob', [merge('70a57ed', 'Fewer duplicates', 'carol', 4366)])],
});

/** Production was rolled back. */
const proxy = queue('image_proxy', {
  state: 'locked',
  lock: {
    ...{ by: 'alice', at: ago(35 * MINUTE), code: 'PRODUCTION_ROLLED_BACK' },
    reason: 'rolled back production: images come without their type',
  },
  waiting: [promotion('image_proxy', [merge('fee1bad', 'Send the type again', 'alice', 4420)], 'queued')],
  recent: [
    promotion('image_proxy', [merge('badcafe', 'Stream without a buffer', 'dora', 4407)], 'promoted', {
      finishedAt: ago(45 * MINUTE),
      approval: { by: 'bob', at: ago(49 * MINUTE), release: commit('badcafe'), digests: {}, tests: 'passed' },
    }),
    promoted('image_proxy', 7 * DAY, 'alice', [merge('de1e7ed', 'Forget what was deleted', 'alice', 4359)]),
  ],
});

/** Somebody deployed by hand. */
const analytics = queue('analytics', {
  state: 'waiting',
  waitingFor: waits(
    'ENVIRONMENTS_DIFFER',
    ago(2 * HOUR),
    `Staging runs ${commit('44d0b1e')}, production ${live('analytics')}, and the queue does not know why`,
  ),
  waiting: [promotion('analytics', [merge('a11ce00', 'Count downloads', 'dora', 4401)], 'queued')],
});

const checker = queue('link_checker', {
  state: 'waiting',
  waitingFor: waits('VERSION_UNKNOWN', ago(11 * MINUTE), 'the version endpoint of staging does not answer'),
});

const mailer = queue('mailer');

export function fakeWorld(): FakeWorld {
  return {
    settings: {
      release: '0.1.0',
      repositoryUrl: REPOSITORY,
      apps: [
        ...[
          'frontend',
          'api',
          'thumbnails',
          'catalogue',
          'image_proxy',
          'analytics',
          'link_checker',
          'mailer',
        ].map((app) => ({
          app,
          environments: ['staging', 'production'],
          releaseOnly: false,
          promotion: true,
        })),
        { app: 'docs', environments: ['staging', 'production'], releaseOnly: false, promotion: false },
        { app: 'ingestion_server', environments: [], releaseOnly: true, promotion: false },
      ],
    },
    places: PLACES,
    queues: [frontend, api, thumbnails, catalogue, proxy, analytics, checker, mailer],
    deployments: [ROLLING, ...[FAILED, ...standing(), ...history()].sort(newestFirst)],
    releases: [
      release('docs', '2026.11.26.09.12.44', {
        ...{ state: 'blocked', outcome: undefined, finishedAt: undefined, requestedAt: ago(HOUR) },
        blocked: {
          ...{ step: 'publish', code: 'GITHUB_FAILED' },
          message: 'GitHub does not take the release: tag docs-2026.11.26.09.12.44 is protected',
          actions: ['retry', 'abandon'],
        },
        steps: (['validate', 'tag', 'deploy', 'publish', 'changelog'] as const).map((name, at) => ({
          name,
          state: at < 3 ? ('done' as const) : at === 3 ? ('failed' as const) : ('pending' as const),
          ...(at < 4
            ? { startedAt: ago(HOUR - at * MINUTE), finishedAt: ago(HOUR - at * MINUTE - 40_000) }
            : {}),
        })),
      }),
      release('frontend', '2026.11.23.14.02.11', {
        actor: 'bob',
        pullRequest: `${REPOSITORY}/pull/4395`,
      }),
      release('ingestion_server', '2026.11.20.10.30.00', { requestedAt: ago(6 * DAY) }),
      release('api', '2026.11.18.08.00.00', { outcome: 'abandoned', requestedAt: ago(8 * DAY) }),
    ],
  };
}

const newestFirst = (a: ShownDeployment, b: ShownDeployment): number =>
  (b.finishedAt ?? '').localeCompare(a.finishedAt ?? '');
