/** A comment on a pull request that is kept up: found again by its marker, edited in place, there once. */
import { ApplicationFailure } from '@temporalio/common';
import type { CommentInput } from '../../domain/promotion/effects.js';
import { refuse } from '../failure.js';
import { GitHub, type GitHubDeps } from './ask.js';
import { markerOf } from './release.js';

const NEEDS = 'Pull requests: write';
const PAGE = 100;
/** Far beyond what people write below a pull request. */
const PAGES = 30;

export function createComment(deps: GitHubDeps) {
  const github = new GitHub(deps);
  return {
    /**
     * Safe to repeat: one that is there is taken, and a double of it removed.
     * @throws ApplicationFailure `GITHUB_FAILED` (no such pull request, or it is locked); retryable `GITHUB_DOWN`,
     *   `GITHUB_REFUSED`
     */
    comment: async (input: CommentInput): Promise<void> => {
      const marker = markerOf(input.marker);
      const body = `${input.body.trimEnd()}\n\n${marker}`;
      const [first, ...others] = await findOurs(github, input.pullRequest, marker);
      const isSaid = first && (plain(first.body) === plain(body) || (await edit(github, first.id, body)));
      if (!isSaid) await create(github, input.pullRequest, body);
      for (const double of others) await remove(github, double.id);
    },
  };
}

interface Comment {
  id: number;
  body: string;
  /** Its author's id. */
  user: number | undefined;
}

/** GitHub may give back other line ends than it was sent. */
const plain = (text: string): string => text.replaceAll('\r\n', '\n').trim();

/** Oldest first. The marker ends them: who quotes one has it elsewhere. */
async function findOurs(github: GitHub, pullRequest: number, marker: string): Promise<Comment[]> {
  const found: Comment[] = [];
  for (let page = 1; page <= PAGES; page += 1) {
    const listed = await github.ask(
      { what: `listing the comments of pull request ${pullRequest}`, needs: NEEDS },
      (rest) => rest.issues.listComments({ ...github.repo, issue_number: pullRequest, per_page: PAGE, page }),
    );
    const ours = listed.filter(
      ({ body }) =>
        plain(body ?? '')
          .split('\n')
          .at(-1) === marker,
    );
    found.push(...ours.map(({ id, body, user }) => ({ id, body: body ?? '', user: user?.id })));
    if (listed.length < PAGE) break;
  }
  const [first, ...others] = found.sort((a, b) => a.id - b.id);
  if (!first) return [];
  // A person’s copy of it is that person’s.
  return [first, ...others.filter(({ user }) => user === first.user)];
}

async function create(github: GitHub, pullRequest: number, body: string): Promise<void> {
  const what = `commenting on pull request ${pullRequest}`;
  try {
    await github.ask({ what, needs: NEEDS, write: true }, (rest) =>
      rest.issues.createComment({ ...github.repo, issue_number: pullRequest, body }),
    );
  } catch (error) {
    if (error instanceof ApplicationFailure && error.type === 'GITHUB_REFUSED') {
      await requireUnlocked(github, pullRequest);
    }
    throw error;
  }
}

/** To a locked conversation GitHub answers as to who may not write at all. */
async function requireUnlocked(github: GitHub, pullRequest: number): Promise<void> {
  const { locked } = await github.ask({ what: `reading pull request ${pullRequest}`, needs: NEEDS }, (rest) =>
    rest.issues.get({ ...github.repo, issue_number: pullRequest }),
  );
  if (!locked) return;
  throw refuse(
    'GITHUB_FAILED',
    `The conversation of pull request ${pullRequest} is locked: nothing is said there; unlock it, or leave it`,
  );
}

/** @returns false where it was removed meanwhile */
async function edit(github: GitHub, id: number, body: string): Promise<boolean> {
  const edited = await github.find({ what: `editing the comment ${id}`, needs: NEEDS }, (rest) =>
    rest.issues.updateComment({ ...github.repo, comment_id: id, body }),
  );
  return edited !== undefined;
}

/** It came of a request whose answer was lost and that took effect only after the next attempt had looked. */
async function remove(github: GitHub, id: number): Promise<void> {
  await github.find({ what: `removing the double comment ${id}`, needs: NEEDS }, (rest) =>
    rest.issues.deleteComment({ ...github.repo, comment_id: id }),
  );
}
