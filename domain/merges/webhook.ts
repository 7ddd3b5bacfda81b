/** What of GitHub's webhooks concerns Sluice: pushes to the branch, and news of workflow runs. */
import type { Delivered } from '../messages.js';

/** Who is listened to, as in `sluice.yaml`. */
export interface ListenedTo {
  owner: string;
  name: string;
  branch: string;
}

export interface Ignored {
  /** In words, for the delivery's page at GitHub. */
  ignored: string;
}

const SHA = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const isSha = (value: unknown): value is string => typeof value === 'string' && SHA.test(value);
const NO_COMMIT = /^0+$/;

/**
 * @param event `X-GitHub-Event`
 * @param payload parsed; of any form
 * @returns what a `delivery` keeps, or why there is nothing to do
 */
export function deliveredOf(
  event: string,
  payload: Readonly<Record<string, unknown>>,
  { branch }: Pick<ListenedTo, 'branch'>,
): Delivered | Ignored {
  if (event === 'push') return pushOf(payload, branch);
  if (event === 'workflow_run') return runOf(payload);
  return { ignored: event === 'ping' ? 'a ping: the webhook is set up' : `${event} is not listened to` };
}

function pushOf(payload: Readonly<Record<string, unknown>>, branch: string): Delivered | Ignored {
  const { ref, before, after } = payload;
  if (ref !== `refs/heads/${branch}`) return { ignored: `not a push to ${branch}` };
  if (!isSha(before) || !isSha(after)) return { ignored: 'a push without the commits before and after it' };
  if (NO_COMMIT.test(after)) return { ignored: `${branch} was deleted` };
  const sender = loginOf(payload['sender']);
  return { event: 'push', ref, before, after, ...(sender ? { sender } : {}) };
}

function runOf({ action, workflow_run: run }: Readonly<Record<string, unknown>>): Delivered | Ignored {
  const id = isRecord(run) ? run['id'] : undefined;
  if (typeof action !== 'string' || typeof id !== 'number' || !Number.isSafeInteger(id)) {
    return { ignored: 'a workflow_run without an action and the id of its run' };
  }
  return { event: 'workflow_run', id, action };
}

/**
 * GitHub takes names of owners and repositories in any case.
 * @returns the name of another repository that the payload is about; undefined: it is ours, or about none
 */
export function otherRepository(
  { repository }: Readonly<Record<string, unknown>>,
  { owner, name }: Pick<ListenedTo, 'owner' | 'name'>,
): string | undefined {
  if (!isRecord(repository)) return undefined;
  const of = repository['full_name'];
  if (typeof of !== 'string') return 'a repository without a name';
  return of.toLowerCase() === `${owner}/${name}`.toLowerCase() ? undefined : of;
}

function loginOf(value: unknown): string | undefined {
  const login = isRecord(value) ? value['login'] : undefined;
  return typeof login === 'string' && login !== '' ? login : undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
