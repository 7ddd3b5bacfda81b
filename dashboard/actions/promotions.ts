/** What people do to a promotion queue (design §6). */
import type { Promotion, Resolution } from '../../domain/promotion/promotion.js';
import { short } from '../model/words.js';
import type { Action, Field } from './spec.js';
import { given } from './spec.js';

const path = (app: string, command: string): string => `/api/promotions/${app}/${command}`;

const OVERRIDE: Field = {
  kind: 'flag',
  name: 'override',
  label: 'Override',
  hint: 'also where the release is marked bad, or lacks something that production runs; say why',
};

export const approve = (app: string, { release }: Promotion, byOverride = false): Action => ({
  title: `Deploy ${short(release)} to production`,
  intro: `This is what will change in ${app}’s production. It is deployed as soon as its lane is free.`,
  button: 'Deploy to production',
  fields: byOverride ? [OVERRIDE, { kind: 'reason', required: 'override' }] : [],
  plan: (values) => ({ kind: 'promotion', app, release, ...given(values, ['override']) }),
  request: (values) => ({
    method: 'POST',
    path: path(app, 'approve'),
    body: { release, ...given(values, ['override', 'reason']) },
  }),
  done: `${short(release)} goes to production`,
});

export const reject = (app: string, { release, stage }: Promotion): Action => ({
  title: `Reject ${short(release)}`,
  intro:
    stage === 'staging'
      ? 'Its deployment to staging is stopped, then the promotion ends.'
      : 'The promotion ends here; staging keeps running it until something else is deployed.',
  button: 'Reject',
  danger: true,
  fields: [{ kind: 'reason', required: true }],
  request: (values) => ({
    method: 'POST',
    path: path(app, 'reject'),
    body: { release, ...given(values, ['reason']) },
  }),
  done: `${short(release)} is rejected`,
});

export const cancel = (app: string, { release, merges }: Promotion): Action => ({
  title: `Cancel ${short(release)}`,
  intro: `“${merges.at(-1)?.title ?? release}” leaves the queue and is not promoted; a later merge that contains it still is.`,
  button: 'Cancel this merge',
  danger: true,
  fields: [{ kind: 'reason', required: true }],
  request: (values) => ({
    method: 'POST',
    path: path(app, 'cancel'),
    body: { release, ...given(values, ['reason']) },
  }),
  done: `${short(release)} is cancelled`,
});

export const retryPromotion = (app: string, promotion: Promotion): Action => {
  const { release, stage, failedStage } = promotion;
  const again = stage === 'failed' ? failedStage : 'staging';
  const intro = {
    production:
      'It is deployed to production once more, under the same conditions as an approval; you approve it.',
    testing: 'Its tests run once more against staging.',
    staging: 'It is deployed to staging once more, and tested again.',
  }[again ?? 'staging'];
  const toProduction = again === 'production';
  return {
    title: `Retry ${short(release)}`,
    intro,
    button: toProduction ? 'Deploy to production again' : 'Retry',
    fields: toProduction
      ? [OVERRIDE, { kind: 'reason', required: 'override' }]
      : [{ kind: 'reason', required: false }],
    ...(toProduction
      ? { plan: (values) => ({ kind: 'promotion', app, release, ...given(values, ['override']) }) }
      : {}),
    request: (values) => ({
      method: 'POST',
      path: path(app, 'retry'),
      body: { release, ...given(values, ['override', 'reason']) },
    }),
    done: `${short(release)} is tried again`,
  };
};

const CHOICES: Record<Resolution, { label: string; hint: string }> = {
  adopt: {
    label: 'Adopt what staging runs',
    hint: 'it becomes a promotion of its own and is tested, then approved or rejected',
  },
  'restore-staging': {
    label: 'Restore staging to what production runs',
    hint: 'production’s images are deployed to staging; then the next merge starts',
  },
  override: {
    label: 'Let the next merge start all the same',
    hint: 'once; staging is replaced by it',
  },
};

export const resolve = (app: string, choices: readonly Resolution[]): Action => ({
  title: `Resolve ${app}`,
  intro: 'Staging and production differ for a reason that Sluice does not know. Which of them is right?',
  button: 'Do this',
  fields: [
    {
      kind: 'choice',
      name: 'choice',
      label: 'What to do',
      options: choices.map((value) => ({ value, ...CHOICES[value] })),
    },
    { kind: 'reason', required: true },
  ],
  request: (values) => ({
    method: 'POST',
    path: path(app, 'resolve'),
    body: given(values, ['choice', 'reason']),
  }),
  done: `${app} goes on`,
});

export const lockQueue = (app: string): Action => ({
  title: `Lock ${app}’s promotions`,
  intro:
    'What runs comes to its end; nothing new starts and nothing is approved until somebody unlocks it. Merges still queue.',
  button: 'Lock',
  fields: [{ kind: 'reason', required: true }],
  request: (values) => ({
    method: 'PUT',
    path: `/api/locks/promotions/${app}`,
    body: given(values, ['reason']),
  }),
  done: `${app}’s promotions are locked`,
});

export const unlockQueue = (app: string): Action => ({
  title: `Unlock ${app}’s promotions`,
  intro: 'What the lock held goes on, after a fresh look at both environments.',
  button: 'Unlock',
  fields: [{ kind: 'reason', required: false }],
  request: (values) => ({
    method: 'DELETE',
    path: `/api/locks/promotions/${app}`,
    body: given(values, ['reason']),
  }),
  done: `${app}’s promotions are unlocked`,
});
