/**
 * The changelog pull request, which neither holds up nor fails a release: tried for a moment while people look on,
 * then for a day beside what they see; given up with a warning that says how to do it by hand.
 */
import { RetryState } from '@temporalio/common';
import { ActivityFailure } from '@temporalio/workflow';
import type { ChangelogInput } from '../domain/release/effects.js';
import * as progress from '../domain/release/progress.js';
import type { Release } from '../domain/release/release.js';
import { changelogs } from './effects.js';
import { codedFailure } from './failure.js';

const WARNING = 'CHANGELOG';
const AT_ONCE_MS = 20_000;
const LATER_MS = 24 * 60 * 60_000;

/** `mends`: it may come by itself, it is worth trying on. */
export type Opened = { url: string } | { message: string; mends: boolean };

export const openAtOnce = (input: ChangelogInput, ms = AT_ONCE_MS): Promise<Opened> => open(input, ms);

export const openLater = (input: ChangelogInput, ms = LATER_MS): Promise<Opened> => open(input, ms);

async function open(input: ChangelogInput, ms: number): Promise<Opened> {
  try {
    return await changelogs(ms).openChangelog(input);
  } catch (error) {
    const { message } = codedFailure(error);
    const final = error instanceof ActivityFailure && error.retryState === RetryState.NON_RETRYABLE_FAILURE;
    return { message, mends: !final };
  }
}

/** What it means for the record. */
export function changelogged(release: Release, opened: Opened, { givenUp }: { givenUp: boolean }): Release {
  const at = new Date().toISOString();
  if ('url' in opened) {
    const known = progress.unwarn({ ...release, pullRequest: opened.url }, WARNING);
    return progress.finishStep(known, 'changelog', at, opened.url);
  }
  if (!givenUp) {
    const message = `The changelog pull request is late (${opened.message}); it is tried for a day`;
    return progress.warn(release, WARNING, message);
  }
  const message = byHand(release, opened.message);
  return progress.failStep(progress.warn(release, WARNING, message), 'changelog', at, message);
}

const byHand = ({ app, date, gitTag, releaseUrl = gitTag }: Release, message: string): string =>
  `The changelog pull request was not opened (${message}). By hand: put the notes of ${releaseUrl} into ${date}.md of ` +
  `${app}’s changelogs, on a branch changelog/${gitTag}, and open a pull request`;
