/** The commits between two releases, for people who want to know what they are about to do. */
import { refuse } from '../failure.js';
import type { Compared, CompareInput, PlannedCommit } from '../../domain/plan.js';
import type { GitHubDeps } from './ask.js';
import { GitHub } from './ask.js';
import { compare } from './range.js';

const SHOWN = 100;
const TITLE_CHARS = 200;

export function createCompareCommits(deps: GitHubDeps) {
  const github = new GitHub(deps);
  return {
    /** @throws ApplicationFailure `NOT_FOUND` where they have no history in common; as `githubFailure` */
    async compareCommits({ base, head }: CompareInput): Promise<Compared> {
      const between = await asked(github, base, head);
      if (between.status !== 'behind') return between;
      // GitHub lists what `head` has and `base` has not: going back, that is asked the other way round.
      return { ...(await asked(github, head, base)), status: 'behind' };
    },
  };
}

async function asked(github: GitHub, base: string, head: string): Promise<Compared> {
  const first = await compare(github, base, head, { page: 1, per_page: SHOWN });
  if (!first) throw refuse('NOT_FOUND', `GitHub knows no way from ${base} to ${head}`);
  const { status, total_commits: commitCount } = first;
  // Oldest first: the newest are on the last page, and on the one before it.
  const last = Math.ceil(commitCount / SHOWN);
  const newest = last > 1 ? await compare(github, base, head, { page: last, per_page: SHOWN }) : first;
  const beside = last > 2 ? await compare(github, base, head, { page: last - 1, per_page: SHOWN }) : first;
  const listed = last > 1 ? [...(beside?.commits ?? []), ...(newest?.commits ?? [])] : first.commits;
  const commits = listed.slice(-SHOWN).reverse().map(planned);
  return { status, commits, commitCount };
}

interface Commit {
  sha: string;
  commit: { message: string; author: { name?: string } | null };
  author: { login?: string } | null;
}

function planned({ sha, commit, author }: Commit): PlannedCommit {
  const [title = ''] = commit.message.split('\n');
  const by = author?.login ?? commit.author?.name;
  return { sha, title: title.slice(0, TITLE_CHARS), ...(by ? { author: by } : {}) };
}
