/** Deployments: one under way, one that failed and says why, and a past to look at. */
import type { Code } from '../../../domain/codes.js';
import { KINDS, OUTCOMES } from '../../../domain/deployment.js';
import type { ShownDeployment } from '../../../dashboard/model/types.js';
import { ago, commit, DAY, deployment, HOUR, imagesOf, live, MINUTE } from './parts.js';

export const ROLLING = deployment('api', 'staging', 'r0lling1', {
  ...{ age: 110_000, at: 'stabilise', actor: 'dora', tag: commit('5e6f7a8'), release: commit('5e6f7a8') },
  parent: { type: 'promotion', id: `api.${commit('5e6f7a8')}` },
  images: imagesOf('api', { release: live('api') }, { release: commit('5e6f7a8') }),
  variables: { added: ['THUMBNAIL_CACHE_SECONDS'], removed: [], changed: ['LOG_LEVEL'] },
  secrets: { added: [], removed: [], changed: [] },
  rollout: {
    ...{ desired: 4, running: 2, pending: 1, failed: 0, previousRunning: 3, updatedAt: ago(1_000) },
    events: [
      { at: ago(100_000), message: '(service staging-api) has started 2 tasks: (task 0a1b) (task 0c2d).' },
      {
        at: ago(62_000),
        message: '(service staging-api) registered 2 targets in (target-group staging-api)',
      },
      { at: ago(31_000), message: '(service staging-api) has stopped 1 running tasks: (task 77f0).' },
      { at: ago(12_000), message: '(service staging-api) has started 1 tasks: (task 0e3f).' },
    ],
  },
});

export const FAILED = deployment('catalogue', 'production', 'fa1led01', {
  ...{
    age: 14 * MINUTE,
    at: 'stabilise',
    fails: true,
    actor: 'bob',
    kind: 'promotion',
    outcome: 'rolled-back',
  },
  ...{ tag: commit('0ddba11'), release: commit('0ddba11'), verified: undefined },
  parent: { type: 'promotion', id: `catalogue.${commit('0ddba11')}` },
  failure: {
    ...{ step: 'stabilise', code: 'ROLLED_BACK' },
    message: 'ECS rolled back to production-catalogue:40 (deployment circuit breaker: tasks failed to start)',
  },
  images: imagesOf('catalogue', { release: live('catalogue') }, { release: commit('0ddba11') }),
  rollout: {
    ...{ desired: 3, running: 0, pending: 0, failed: 4, previousRunning: 3, updatedAt: ago(10 * MINUTE) },
    events: [
      { at: ago(13 * MINUTE), message: '(service production-catalogue) has started 1 tasks: (task 51aa).' },
      {
        at: ago(11 * MINUTE),
        message:
          '(service production-catalogue) (deployment ecs-svc/1) deployment failed: tasks failed to start.',
      },
      {
        at: ago(10 * MINUTE),
        message: '(service production-catalogue) rolling back to (deployment ecs-svc/0).',
      },
    ],
  },
  dossier: {
    events: [
      { at: ago(13 * MINUTE), message: '(service production-catalogue) has started 1 tasks: (task 51aa).' },
      {
        at: ago(11 * MINUTE),
        message:
          '(service production-catalogue) (deployment ecs-svc/1) deployment failed: tasks failed to start.',
      },
      {
        at: ago(10 * MINUTE),
        message: '(service production-catalogue) rolling back to (deployment ecs-svc/0).',
      },
    ],
    counts: {
      desired: 3,
      running: 0,
      pending: 0,
      failed: 4,
      previousRunning: 3,
      updatedAt: ago(10 * MINUTE),
    },
    now: 'PRIMARY is production-catalogue:40 (COMPLETED): 3 of 3 running, 0 pending',
    stoppedTasks: [
      {
        reason: 'Essential container in task exited',
        count: 3,
        exitCodes: { web: 1 },
        examples: ['arn:aws:ecs:us-east-1:1:task/production/51aa'],
      },
      {
        reason: 'Task failed ELB health checks in (target-group production-catalogue)',
        count: 1,
        exitCodes: {},
        examples: ['arn:aws:ecs:us-east-1:1:task/production/52bb'],
      },
    ],
    lastLines: [
      {
        source: 'web (task 51aa)',
        lines: [
          'Loading settings for production',
          'Connecting to the index …',
          'Traceback (most recent call last):',
          '  File "/srv/catalogue/index.py", line 41, in <module>',
          "KeyError: 'TITLE_LANGUAGES'",
        ],
      },
    ],
  },
});

const CODE_OF: Partial<Record<string, Code>> = {
  ...{ 'rolled-back': 'ROLLED_BACK', stopped: 'STOPPED', superseded: 'SUPERSEDED' },
  ...{ 'timed-out': 'TIMED_OUT', rejected: 'RELEASE_BAD' },
};
const APPS = ['frontend', 'api', 'catalogue', 'thumbnails'];
const PEOPLE = ['alice', 'bob', 'carol', 'dora'];

/** Two weeks of them, the same every time. */
export function history(count = 60): ShownDeployment[] {
  let seed = 7;
  const next = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  return Array.from({ length: count }, (_, at) => {
    const chosen = APPS[next(APPS.length)] ?? 'api';
    const isProduction = next(3) === 0;
    const fails = next(7) === 0;
    const outcome = fails ? OUTCOMES[1 + next(OUTCOMES.length - 1)] : 'succeeded';
    const age = HOUR * 3 + at * 5.2 * HOUR + next(240) * MINUTE;
    // Nothing came after what runs now.
    const environment = isProduction && age > 7 * DAY ? 'production' : 'staging';
    const app = chosen === 'api' && age < 3 * DAY ? 'frontend' : chosen;
    const one = deployment(app, environment, `past${String(at).padStart(4, '0')}`, {
      ...{ age, ...(fails ? { at: 'stabilise' as const, fails } : {}), outcome },
      ...{ tag: commit(`${(next(15_000_000) + 1_000_000).toString(16)}0`), actor: PEOPLE[next(4)] ?? 'bob' },
      kind: !isProduction
        ? (KINDS[next(2)] ?? 'deploy')
        : environment === 'production'
          ? 'promotion'
          : 'deploy',
      ...(fails
        ? {
            failure: {
              step: 'stabilise',
              code: CODE_OF[outcome ?? ''] ?? 'TASKS_FAILED',
              message: 'Made up',
            },
          }
        : {}),
    });
    const took = (120 + next(160) + (next(9) === 0 ? 500 : 0)) * 1_000;
    return { ...one, finishedAt: new Date(Date.parse(one.startedAt ?? '') + took).toISOString() };
  });
}
