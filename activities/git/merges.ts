/** Merges, and the order of the branch: read from the mirror, so that GitHub's limits on what it lists do not matter. */
import { Context } from '@temporalio/activity';
import type { Config } from '../../domain/config/config.js';
import { mergeText } from '../../domain/merges/text.js';
import { oneLine } from '../../domain/one-line.js';
import { appsTouched } from '../../domain/merges/paths.js';
import type { Merge } from '../../domain/promotion/promotion.js';
import type { FindMergesInput, MergesFound, RelateInput, Relations } from '../../domain/promotion/effects.js';
import { readLog, type LoggedCommit } from './merges-log.js';
import { countOf, rangeOf, type Range } from './merges-range.js';
import { relateReleases } from './merges-relate.js';
import type { History, Mirror } from './mirror.js';

/** Newest first-parent commits that are looked at. */
const MOST_COMMITS = 1_000;
/** Newest merges that are told, of all apps together: they stand in Temporal's history. */
const MOST_MERGES = 2_000;

export interface MergeActivities {
  /**
   * First-parent commits that touch an app's paths, of every configured app; described from git alone.
   * Of a range with more than 1,000 commits the newest 1,000, and of these at most the newest 2,000 merges of all apps
   * together.
   * @throws ApplicationFailure `CLONE_FAILED` (no such branch); retryable `GITHUB_DOWN`, `GITHUB_REFUSED`, `CLONE_FAILED`
   */
  findMerges(input: FindMergesInput): Promise<MergesFound>;
  /** @throws ApplicationFailure as `findMerges` */
  relate(input: RelateInput): Promise<Relations>;
}

/** @param deps.mirror one that waits for its source */
export function createMerges({ config, mirror }: { config: Config; mirror: Mirror }): MergeActivities {
  const touched = appsTouched(
    Object.fromEntries(Object.entries(config.apps).map(([app, { paths }]) => [app, paths])),
  );
  const read = async <T>(work: (history: History) => Promise<T>): Promise<T> =>
    await mirror.read(work, Context.current().cancellationSignal);
  return {
    findMerges: async (input) =>
      await read(async (history) => {
        const range = await rangeOf(history, input);
        return { head: history.head, apps: range ? await mergesIn(history, range, touched) : {} };
      }),
    relate: async ({ releases }) => await read((history) => relateReleases(history, releases)),
  };
}

async function mergesIn(
  history: History,
  { newest, before }: Range,
  touched: ReturnType<typeof appsTouched>,
): Promise<Record<string, Merge[]>> {
  const found = new Found(await countOf(history, [newest]));
  const range =
    before === undefined ? ['--max-count=1', newest] : [`--max-count=${MOST_COMMITS}`, newest, `^${before}`];
  await readLog(history, range, {
    commit: (commit) => found.commit(commit),
    file: (name) => found.touch(touched([name])),
  });
  return found.apps();
}

/** Takes commits as they come, the newest first; of their files nothing is kept. */
class Found {
  private readonly byApp = new Map<string, Merge[]>();
  private current: Merge | undefined;
  private count = 0;

  constructor(private position: number) {}

  commit({ sha, author, subject, body }: LoggedCommit): void {
    this.current = { sha, ...mergeText({ subject, body }), author: oneLine(author), position: this.position };
    this.position -= 1;
  }

  touch(apps: ReadonlySet<string>): void {
    for (const app of apps) {
      const merges = this.byApp.get(app) ?? [];
      if (!this.current || merges.at(-1) === this.current || this.count === MOST_MERGES) continue;
      merges.push(this.current);
      this.byApp.set(app, merges);
      this.count += 1;
    }
  }

  /** In the order of the branch. */
  apps(): Record<string, Merge[]> {
    return Object.fromEntries([...this.byApp].map(([app, merges]) => [app, merges.reverse()]));
  }
}
