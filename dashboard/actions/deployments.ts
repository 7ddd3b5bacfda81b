/** What people do to a service: deploy, go back, lock; and to a deployment. */
import type { ShownDeployment } from '../model/types.js';
import { PRODUCTION } from '../model/types.js';
import { short } from '../model/words.js';
import type { Action, Values } from './spec.js';
import { given } from './spec.js';

interface Target {
  app: string;
  environment: string;
}

const toDeployment = (answer: unknown): string => `/deployments/${(answer as { id: string }).id}`;

/** Images are tagged with commits too: only the person knows whether it is to be built. */
const named = (values: Values): Record<string, string> | undefined => {
  const what = String(values['what'] ?? '').trim();
  if (!what) return undefined;
  return values['build'] === true ? { commit: what } : { tag: what };
};

export const deploy = ({ app, environment }: Target, what = ''): Action => ({
  title: `Deploy ${app} to ${environment}`,
  intro:
    environment === PRODUCTION
      ? 'Past the promotion queue, and without a release: for when there is no other way.'
      : 'Past the promotion queue: what is on its way loses its evidence.',
  button: `Deploy to ${environment}`,
  fields: [
    {
      kind: 'text',
      name: 'what',
      label: 'Tag',
      hint: 'of the images: a commit, a release, or any other tag',
      value: what,
      required: true,
    },
    {
      kind: 'flag',
      name: 'build',
      label: 'Build',
      hint: 'it is a whole commit of the branch: build its images where they are not there',
    },
    {
      kind: 'flag',
      name: 'override',
      label: 'Override',
      hint: 'also where the release is marked bad; say why',
    },
    { kind: 'reason', required: 'override' },
  ],
  plan: (values) => {
    const chosen = named(values);
    return chosen && { kind: 'deploy', app, environment, ...chosen, ...given(values, ['override']) };
  },
  request: (values) => ({
    method: 'POST',
    path: '/api/deployments',
    body: { app, environment, ...named(values), ...given(values, ['override', 'reason']) },
  }),
  done: `It is on its way to ${environment}`,
  goTo: toDeployment,
});

export const redeploy = ({ app, environment }: Target): Action => ({
  title: `Redeploy ${app} on ${environment}`,
  intro:
    'The release that runs is deployed again from the latest template: for new variables. Nothing is built.',
  button: 'Redeploy',
  fields: [{ kind: 'reason', required: false }],
  plan: () => ({ kind: 'redeploy', app, environment }),
  request: (values) => ({
    method: 'POST',
    path: '/api/redeployments',
    body: { app, environment, ...given(values, ['reason']) },
  }),
  done: `It is deployed again`,
  goTo: toDeployment,
});

export const rollBack = ({ app, environment }: Target): Action => ({
  title: `Roll ${app} back on ${environment}`,
  intro:
    environment === PRODUCTION
      ? 'It goes first. What runs now is marked bad, and promotions are locked until somebody unlocks them.'
      : 'It goes first. What is on its way from staging loses its evidence.',
  button: 'Roll back',
  danger: true,
  fields: [
    { kind: 'target', app, environment },
    { kind: 'reason', required: true },
    { kind: 'flag', name: 'now', label: 'Now', hint: 'stop the deployment that runs there, if there is one' },
    {
      kind: 'flag',
      name: 'override',
      label: 'Override',
      hint: 'pass a lock, or go back to what is marked bad',
    },
  ],
  plan: (values) =>
    values['tag'] === undefined
      ? undefined
      : { kind: 'rollback', app, environment, ...given(values, ['tag', 'override']) },
  request: (values) => ({
    method: 'POST',
    path: '/api/rollbacks',
    body: { app, environment, ...given(values, ['tag', 'reason', 'now', 'override']) },
  }),
  done: 'The rollback is on its way',
  goTo: toDeployment,
});

export const lock = ({ app, environment }: Target): Action => ({
  title: `Lock ${app} on ${environment}`,
  intro:
    'No deployment starts there until somebody unlocks it; what runs comes to its end. A rollback can pass it by override.',
  button: 'Lock',
  fields: [{ kind: 'reason', required: true }],
  request: (values) => ({
    method: 'PUT',
    path: `/api/locks/${environment}/${app}`,
    body: given(values, ['reason']),
  }),
  done: `${app} is locked on ${environment}`,
});

export const unlock = ({ app, environment }: Target): Action => ({
  title: `Unlock ${app} on ${environment}`,
  intro: 'What waits there goes on.',
  button: 'Unlock',
  fields: [{ kind: 'reason', required: false }],
  request: (values) => ({
    method: 'DELETE',
    path: `/api/locks/${environment}/${app}`,
    body: given(values, ['reason']),
  }),
  done: `${app} is unlocked on ${environment}`,
});

export const stop = ({ id, environment, state }: ShownDeployment): Action => ({
  title: 'Stop this deployment',
  intro:
    state === 'queued'
      ? 'It leaves the queue; nothing was changed.'
      : `${environment} goes back to what ran before. That takes about as long as a rollout.`,
  button: 'Stop it',
  danger: true,
  fields: [{ kind: 'reason', required: false }],
  request: (values) => ({
    method: 'POST',
    path: `/api/deployments/${id}/stop`,
    body: given(values, ['reason']),
  }),
  done: 'It is being stopped',
});

export const retryDeployment = ({ id, tag, environment }: ShownDeployment): Action => ({
  title: `Deploy ${tag ? short(tag) : 'it'} to ${environment} again`,
  intro: 'A new deployment of the same, linked to this one.',
  button: 'Retry',
  fields: [{ kind: 'reason', required: false }],
  request: (values) => ({
    method: 'POST',
    path: `/api/deployments/${id}/retry`,
    body: given(values, ['reason']),
  }),
  done: 'It is tried again',
  goTo: toDeployment,
});
