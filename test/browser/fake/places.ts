/** What runs where, and the deployments that brought it there. */
import type { Kind } from '../../../domain/deployment.js';
import type { Place, ShownDeployment } from '../../../dashboard/model/types.js';
import { ROLLING } from './deployments.js';
import { ago, commit, DAY, deployment, HOUR, live, MINUTE, place, runs } from './parts.js';

const ticket = ({ id, kind, tag = '', actor, queuedAt }: ShownDeployment) => ({
  ...{ id, kind, tag, actor, queuedAt },
  ready: true,
});

const NEXT = commit('1a2b3c4');

export const PLACES: Place[] = [
  place('frontend', 'staging', runs(NEXT, 40 * MINUTE, 'alice')),
  place('frontend', 'production', {
    ...runs(live('frontend'), 3 * DAY, 'bob'),
    tag: 'rel-2026.11.23.14.02.11',
    desired: 4,
    running: 4,
  }),
  place('api', 'staging', {
    ...runs(live('api'), 2 * DAY, 'dora'),
    ...{ desired: 4, running: 5, pending: 1 },
    lane: { running: ticket(ROLLING), waiting: [], waitingCount: 0 },
  }),
  place('api', 'production', { ...runs(live('api'), 2 * DAY, 'bob'), desired: 6, running: 6 }),
  place('thumbnails', 'staging', runs(commit('ab12cd3'), 6 * MINUTE, 'bob')),
  place('thumbnails', 'production', runs(live('thumbnails'), 5 * DAY, 'alice')),
  place('catalogue', 'staging', runs(commit('0ddba11'), 55 * MINUTE, 'carol')),
  place('catalogue', 'production', {
    ...runs(live('catalogue'), 6 * DAY, 'bob'),
    desired: 3,
    running: 3,
  }),
  place('image_proxy', 'staging', runs(commit('badcafe'), 80 * MINUTE, 'dora')),
  place('image_proxy', 'production', {
    ...runs(live('image_proxy'), 30 * MINUTE, 'alice'),
    lane: { waiting: [], waitingCount: 0 },
  }),
  place('analytics', 'staging', { release: commit('44d0b1e'), desired: 1, running: 1 }),
  place('analytics', 'production', {
    ...runs(live('analytics'), 8 * DAY, 'dora'),
    desired: 1,
    running: 1,
  }),
  place('link_checker', 'staging', {
    ...{ desired: 1, running: 1 },
    warnings: [
      { code: 'NO_ANSWER', message: 'https://link_checker.staging.example/version.json does not answer' },
    ],
  }),
  place('link_checker', 'production', {
    ...runs(live('link_checker'), DAY, 'bob'),
    desired: 1,
    running: 1,
  }),
  place('mailer', 'staging', runs(live('mailer'), 2 * DAY, 'carol')),
  place('mailer', 'production', runs(live('mailer'), 2 * DAY, 'carol')),
  place('docs', 'staging', {
    ...runs(live('docs'), DAY, 'carol'),
    lane: {
      lock: { by: 'carol', at: ago(3 * HOUR), reason: 'measuring the search' },
      waiting: [],
      waitingCount: 0,
    },
  }),
  place('docs', 'production', {
    ...runs(live('docs'), 55 * MINUTE, 'alice'),
    tag: 'rel-2026.11.26.09.12.44',
  }),
];

/** A little more than all steps of one take. */
const TOOK = 205_000;

/** What Sluice deployed of what runs. */
export const standing = (): ShownDeployment[] =>
  PLACES.flatMap((one) => {
    const { app, environment, release, tag = '', since, by } = one;
    if (since === undefined || by === undefined || release === undefined) return [];
    const age = Date.now() - Date.parse(since) + TOOK;
    const kind = kindOf(one);
    return deployment(app, environment, `${app}now1`, {
      ...{ age, actor: by, tag, release, kind },
      ...(kind === 'release'
        ? { parent: { type: 'release', id: `${app}-${tag.slice('rel-'.length)}` } }
        : {}),
      ...(kind === 'promotion' ? { parent: { type: 'promotion', id: `${app}.${release}` } } : {}),
    });
  });

function kindOf({ app, environment, tag = '' }: Place): Kind {
  if (tag.startsWith('rel-')) return 'release';
  if (environment === 'staging') return 'deploy';
  return app === 'image_proxy' ? 'rollback' : 'promotion';
}
