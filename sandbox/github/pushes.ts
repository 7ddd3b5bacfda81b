/** Where refs go: each move is a push, told to webhooks, and pull requests of the branch follow. */
import { closePullsOf, headMoved } from './pulls.js';
import type { Repository } from './repository.js';

export const NOTHING = '0'.repeat(40);

const branchOf = (ref: string): string | undefined =>
  ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : undefined;

export interface Move {
  ref: string;
  /** Zeros: it is made. */
  before: string;
  /** Zeros: it is deleted. */
  after: string;
  /** Login. */
  by: string;
}

/** Nothing is checked but that it stands at `before`. */
export async function moveRef(repository: Repository, move: Move): Promise<void> {
  const { git } = repository;
  if (move.after === NOTHING) await git.deleteRef(move.ref);
  else await git.updateRef(move.ref, move.after, move.before);
  await refMoved(repository, move);
}

/** For a ref that Git itself has moved already. */
export async function refMoved(repository: Repository, { ref, before, after, by }: Move): Promise<void> {
  const { git, events } = repository;
  const isMove = before !== NOTHING && after !== NOTHING;
  const forced = isMove && !(await git.isAncestor(before, after));
  events.tell({ event: 'push', ref, before, after, forced, by });
  const branch = branchOf(ref);
  if (branch === undefined) return;
  if (after === NOTHING) closePullsOf(repository, branch, by);
  else await headMoved(repository, branch);
}

export interface Push {
  /** Login; somebody new pushes from outside the organisation. */
  by: string;
  /** `refs/heads/main` where absent. */
  ref?: string;
  /** 40 hex; absent: where the ref stands now. Needed where it has moved already. */
  before?: string;
  /** 40 hex; absent: where the ref stands now. Zeros: the ref is deleted. */
  after?: string;
}

/**
 * Somebody pushes: the ref goes there, unless it stands there already, and it is told. Not forward: forced.
 * @throws where nothing moves, or `before` is not where it stands
 */
export async function push(repository: Repository, input: Push): Promise<void> {
  const { git, defaultBranch } = repository;
  const ref = input.ref ?? `refs/heads/${defaultBranch}`;
  const now = (await git.ref(ref))?.sha ?? NOTHING;
  const { before = now, after = now, by } = input;
  if (before === after) throw new Error(`${ref} is at ${now} already: say before, or after`);
  if (after === now) return refMoved(repository, { ref, before, after, by });
  if (before !== now) throw new Error(`${ref} is at ${now}, not at ${before}`);
  return moveRef(repository, { ref, before, after, by });
}
