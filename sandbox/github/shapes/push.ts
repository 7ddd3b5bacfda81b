/** A push as a webhook tells it: at most the last 20 commits, with their files. */
import { changesBetween, type FileChange } from '../diff.js';
import type { Pushed } from '../events.js';
import type { Commit, Signed } from '../git.js';
import { NOTHING } from '../pushes.js';
import { noreply } from '../signing.js';
import { loginOf } from './commit.js';
import { htmlOf, type Place } from './place.js';

const MOST_COMMITS = 20;

function personBody(signed: Signed, { state }: Place) {
  const { name, email, date } = signed;
  const login = loginOf(signed, state);
  return { name, email, date, ...(login ? { username: login } : {}) };
}

/** What moved is gone there and new here. */
function filesOf(changes: FileChange[]) {
  const paths = (...kinds: FileChange['status'][]) =>
    changes.filter(({ status }) => kinds.includes(status)).map(({ path }) => path);
  const moved = changes.flatMap(({ previous }) => (previous === undefined ? [] : [previous]));
  return {
    added: paths('added', 'renamed'),
    removed: [...paths('removed'), ...moved],
    modified: paths('modified', 'changed'),
  };
}

async function pushedCommitBody(commit: Commit, place: Place) {
  const { sha, tree, message, parents } = commit;
  return {
    id: sha,
    tree_id: tree,
    distinct: true,
    message,
    timestamp: commit.committer.date,
    url: `${htmlOf(place)}/commit/${sha}`,
    author: personBody(commit.author, place),
    committer: personBody(commit.committer, place),
    ...filesOf(await changesBetween(place.repository.git, parents[0], sha)),
  };
}

/** Of a new ref: what the default branch does not have; without such commits its own head is told only. */
async function commitsOf({ ref, before, after }: Pushed, { repository }: Place): Promise<Commit[]> {
  const { git, defaultBranch } = repository;
  const main = `refs/heads/${defaultBranch}`;
  const without = before !== NOTHING ? [`^${before}`] : ref === main ? [] : [`^${main}`];
  const newest = await git.log([`--max-count=${MOST_COMMITS}`, '--topo-order', after, ...without]);
  return newest.reverse();
}

function compareUrl({ ref, before, after }: Pushed, place: Place): string {
  if (before === NOTHING) return `${htmlOf(place)}/compare/${ref.replace(/^refs\/(?:heads|tags)\//, '')}`;
  return `${htmlOf(place)}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`;
}

export async function pushBody(pushed: Pushed, place: Place) {
  const { ref, before, after, forced, by } = pushed;
  const { git } = place.repository;
  const deleted = after === NOTHING;
  const commits = deleted ? [] : await commitsOf(pushed, place);
  return {
    ref,
    before,
    after,
    pusher: noreply(by, place.state),
    created: before === NOTHING,
    deleted,
    forced,
    base_ref: null,
    compare: compareUrl(pushed, place),
    commits: await Promise.all(commits.map((commit) => pushedCommitBody(commit, place))),
    head_commit: deleted ? null : await pushedCommitBody(await git.commit(after), place),
  };
}
