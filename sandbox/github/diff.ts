/** What differs between two commits, as GitHub lists files. */
import type { Git } from './git.js';

export interface FileChange {
  path: string;
  previous?: string;
  status: 'added' | 'removed' | 'modified' | 'renamed' | 'changed';
  sha: string;
  additions: number;
  deletions: number;
}

/** Every repository has it. */
const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
const STATUS: Record<string, FileChange['status']> = { A: 'added', D: 'removed', R: 'renamed', T: 'changed' };

/** @param from absent: nothing, as before a first commit */
export async function changesBetween(git: Git, from: string | undefined, to: string): Promise<FileChange[]> {
  const args = ['-r', '-M', '-z', '--no-commit-id', from ?? EMPTY_TREE, to];
  const [raw, numbers] = await Promise.all([
    git.run(['diff-tree', '--raw', '--no-abbrev', ...args]),
    git.run(['diff-tree', '--numstat', ...args]),
  ]);
  const counts = countsOf(numbers.split('\0'));
  const parts = raw.split('\0');
  const changes: FileChange[] = [];
  for (let at = 0; parts[at]?.startsWith(':');) {
    const [, , before = '', after = '', letters = 'M'] = (parts[at] ?? '').split(' ');
    const isRenamed = letters.startsWith('R');
    const path = parts[at + (isRenamed ? 2 : 1)] ?? '';
    changes.push({
      path,
      ...(isRenamed ? { previous: parts[at + 1] } : {}),
      status: STATUS[letters[0] ?? ''] ?? 'modified',
      sha: letters === 'D' ? before : after,
      ...(counts.get(path) ?? { additions: 0, deletions: 0 }),
    });
    at += isRenamed ? 3 : 2;
  }
  return changes;
}

function countsOf(parts: string[]): Map<string, { additions: number; deletions: number }> {
  const counts = new Map<string, { additions: number; deletions: number }>();
  for (let at = 0; parts[at];) {
    const [added, deleted, path] = (parts[at] ?? '').split('\t');
    // A renamed file has its two names behind it, a binary one dashes for numbers.
    const name = path || (parts[at + 2] ?? '');
    counts.set(name, { additions: Number(added) || 0, deletions: Number(deleted) || 0 });
    at += path ? 1 : 3;
  }
  return counts;
}
