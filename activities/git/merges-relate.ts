/** How releases stand to each other on the branch: few questions to git, however many releases are asked for. */
import type { Relations } from '../../domain/promotion/effects.js';
import { isCommit } from '../../domain/tags.js';
import type { History } from './mirror.js';

/** A release on the branch. */
interface Place {
  /** Of the first first-parent commit that contains it. */
  position: number;
  /** Of the last first-parent commit that it contains; itself, where it is one. */
  base: number;
}

/** A first-parent commit contains what has no higher position: nothing more is asked of git for these. */
export async function relateReleases(history: History, releases: readonly string[]): Promise<Relations> {
  const asked = [...new Set(releases)];
  const commits = asked.filter(isCommit);
  const { positions, length } = await firstParentLine(history, commits);
  const places = new Map<string, Place>();
  for (const [release, position] of positions) places.set(release, { position, base: position });
  const beside = commits.filter((release) => !positions.has(release));
  for (const release of await onBranch(history, beside)) {
    places.set(release, await placeBeside(history, release, length));
  }
  const contains: [string, string[]][] = [];
  for (const release of asked)
    contains.push([release, await containedIn(history, release, { asked, places })]);
  return {
    head: history.head,
    positions: Object.fromEntries([...places].map(([release, { position }]) => [release, position])),
    contains: Object.fromEntries(contains),
  };
}

/** Reads the line once, keeping only what was asked for. */
async function firstParentLine(
  history: History,
  asked: readonly string[],
): Promise<{ length: number; positions: Map<string, number> }> {
  const wanted = new Set(asked);
  const fromTop = new Map<string, number>();
  let length = 0;
  await readLines(history, ['rev-list', '--first-parent', history.head, '--'], (sha) => {
    if (wanted.has(sha)) fromTop.set(sha, length);
    length += 1;
  });
  const positions = new Map([...fromTop].map(([sha, above]) => [sha, length - above]));
  return { length, positions };
}

/** Of a commit that came to the branch with a merge. */
async function placeBeside(history: History, release: string, length: number): Promise<Place> {
  const { head } = history;
  const newer = new Set<string>();
  await readLines(history, ['rev-list', '--first-parent', head, `^${release}`, '--'], (sha) => {
    newer.add(sha);
  });
  let containing = 0;
  await readLines(history, ['rev-list', '--ancestry-path', `${release}..${head}`, '--'], (sha) => {
    if (newer.has(sha)) containing += 1;
  });
  return { position: length - containing + 1, base: length - newer.size };
}

/** Those of them that are commits on the branch. */
async function onBranch(history: History, releases: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  let isLacking = false;
  for (const release of releases) {
    const { code } = await history.git(['cat-file', '-e', `${release}^{commit}`], { codes: [0, 1, 128] });
    if (code !== 0) isLacking = true;
    else if (await isAncestor(history, release, history.head)) found.push(release);
  }
  // Only a history that is whole can say that it lacks a commit.
  if (isLacking) await history.git(['rev-list', '--quiet', history.head, '--']);
  return found;
}

async function containedIn(
  history: History,
  release: string,
  { asked, places }: { asked: readonly string[]; places: ReadonlyMap<string, Place> },
): Promise<string[]> {
  const own = places.get(release);
  const found: string[] = [];
  for (const other of asked) {
    const place = places.get(other);
    if (other === release) found.push(other);
    else if (!own || !place || place.position > own.position) continue;
    else if (place.position <= own.base) found.push(other);
    else if (await isAncestor(history, other, release)) found.push(other);
  }
  return found;
}

async function isAncestor(history: History, commit: string, of: string): Promise<boolean> {
  const { code } = await history.git(['merge-base', '--is-ancestor', commit, of], { codes: [0, 1] });
  return code === 0;
}

async function readLines(history: History, args: string[], take: (line: string) => void): Promise<void> {
  let open = '';
  await history.git(args, {
    onBytes: (bytes) => {
      const lines = (open + bytes.toString('latin1')).split('\n');
      open = lines.pop() ?? '';
      lines.forEach(take);
    },
  });
}
