/** `/_sandbox/`: what a person, or another process, changes while the stand-in runs. */
import { failed } from '../answers.js';
import { FAULTS, type Fault } from '../faults.js';
import type { Route } from '../router.js';
import type { TeamState } from '../state.js';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const NUMBERS = ['times', 'skip', 'delayMs', 'retryAfter', 'resetIn', 'status'];

function isFault(body: unknown): body is Fault {
  if (!isRecord(body) || !FAULTS.some((kind) => kind === body['kind'])) return false;
  return Object.entries(body).every(([key, value]) => {
    if (key === 'kind') return true;
    if (['path', 'ending', 'method'].includes(key)) return typeof value === 'string';
    return NUMBERS.includes(key) && typeof value === 'number' && value >= 0;
  });
}

export const control: Route[] = [
  {
    method: 'GET',
    path: '/_sandbox/state',
    open: true,
    handle: ({ state, faults }) => ({
      status: 200,
      body: { org: state.org, team: state.team, members: state.members(), faults: faults.list() },
    }),
  },
  {
    method: 'GET',
    path: '/_sandbox/requests',
    open: true,
    handle: ({ state }) => ({ status: 200, body: { items: state.requests } }),
  },
  {
    method: 'GET',
    path: '/_sandbox/effects',
    open: true,
    handle: ({ repository }) => ({ status: 200, body: { items: repository?.effects.list() ?? [] } }),
  },
  {
    method: 'PUT',
    path: '/_sandbox/members/{login}',
    open: true,
    handle({ params, body, state }) {
      const wanted = isRecord(body) ? body['state'] : 'active';
      if (wanted !== 'active' && wanted !== 'pending') return failed(422, 'state is "active" or "pending"');
      const added = state.addMember(params['login'] ?? '', wanted satisfies TeamState);
      return added ? { status: 204 } : failed(404, `There is no ${params['login']} here`);
    },
  },
  {
    method: 'DELETE',
    path: '/_sandbox/members/{login}',
    open: true,
    handle({ params, state }) {
      return state.removeMember(params['login'] ?? '')
        ? { status: 204 }
        : failed(404, `${params['login']} is no member`);
    },
  },
  {
    method: 'POST',
    path: '/_sandbox/faults',
    open: true,
    handle({ body, faults }) {
      if (!isFault(body))
        return failed(422, `kind is one of ${FAULTS.join(', ')}; see sandbox/github/faults.ts`);
      faults.add(body);
      return { status: 204 };
    },
  },
  {
    method: 'DELETE',
    path: '/_sandbox/faults',
    open: true,
    handle({ faults }) {
      faults.clear();
      return { status: 204 };
    },
  },
];
