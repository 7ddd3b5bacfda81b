/** What people do to releases (design §5). */
import type { ShownRelease } from '../model/types.js';
import type { Action } from './spec.js';
import { given } from './spec.js';

export const release = (app: string, { tag = '', releaseOnly = false } = {}): Action => ({
  title: `Release ${app}`,
  intro: releaseOnly
    ? 'The images are tagged, and the release is published at GitHub; nothing is deployed.'
    : 'The images are tagged and deployed to production, then the release is published at GitHub.',
  button: 'Release',
  fields: [
    {
      kind: 'text',
      name: 'tag',
      label: 'Tag',
      hint: 'of the images: a commit, or any other tag',
      value: tag,
      required: true,
    },
    { kind: 'flag', name: 'again', label: 'Again', hint: 'also where the same images were released before' },
    { kind: 'flag', name: 'override', label: 'Override', hint: 'also where they are marked bad; say why' },
    { kind: 'reason', required: 'override' },
  ],
  plan: (values) =>
    String(values['tag'] ?? '').trim()
      ? { kind: 'release', app, ...given(values, ['tag', 'again', 'override']) }
      : undefined,
  request: (values) => ({
    method: 'POST',
    path: '/api/releases',
    body: { app, ...given(values, ['tag', 'again', 'override', 'reason']) },
  }),
  done: 'The release is on its way',
  goTo: (answer) => `/releases/${(answer as { id: string }).id}`,
});

export const retryRelease = ({ id, blocked }: ShownRelease): Action => ({
  title: `Retry ${id}`,
  intro: `It goes on at the step where it is blocked${blocked ? `: ${blocked.step}` : ''}, with the same images.`,
  button: 'Retry',
  fields: [
    { kind: 'flag', name: 'override', label: 'Override', hint: 'also where it is marked bad; say why' },
    { kind: 'reason', required: 'override' },
  ],
  request: (values) => ({
    method: 'POST',
    path: `/api/releases/${id}/retry`,
    body: given(values, ['override', 'reason']),
  }),
  done: `${id} goes on`,
});

export const abandon = ({ id }: ShownRelease): Action => ({
  title: `Abandon ${id}`,
  intro: 'It ends here. What it made already stays, and is listed.',
  button: 'Abandon',
  danger: true,
  fields: [{ kind: 'reason', required: false }],
  request: (values) => ({
    method: 'POST',
    path: `/api/releases/${id}/abandon`,
    body: given(values, ['reason']),
  }),
  done: `${id} is abandoned`,
});
