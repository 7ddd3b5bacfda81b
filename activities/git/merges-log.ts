/** Reads `git log` as it comes, of any length: commits with the files that they change. */
import type { History } from './mirror.js';

export interface LoggedCommit {
  /** 40 hex. */
  sha: string;
  /** Name in the commit. */
  author: string;
  subject: string;
  /** At most about the first 64 KiB. */
  body: string;
}

interface Reader {
  commit(commit: LoggedCommit): void;
  /** Of the commit before; bytes that are no UTF-8 stand as U+FFFD. */
  file(name: string): void;
}

/** Of a message or a name; longer ones are cut. Both are foreign, and a message may be a book. */
const LONGEST = 65_536;

/**
 * First-parent commits, newest first, each against its first parent; a root against nothing. A rename is listed under
 * both names.
 * @param range arguments of `git log`
 */
export async function readLog(history: History, range: string[], reader: Reader): Promise<void> {
  const take = records(reader);
  await history.git(
    [
      ...['-c', 'log.showRoot=true', 'log', '--first-parent', '--diff-merges=first-parent', '--no-renames'],
      ...['--raw', '--no-abbrev', '-z', '--encoding=UTF-8', '--format=%H%n%an%n%s%n%b', ...range, '--'],
    ],
    { onBytes: splitter(take) },
  );
}

/**
 * A record is a commit (40 hex, then lines) or a change (`:modes ids status`), which the next record names: so a file
 * may have any name, also that of a commit.
 */
function records({ commit, file }: Reader): (record: string) => void {
  let isName = false;
  return (record) => {
    if (isName) file(record);
    else if (!/^\n?:/.test(record)) commit(commitOf(record));
    isName = !isName && /^\n?:/.test(record);
  };
}

function commitOf(record: string): LoggedCommit {
  const [sha = '', author = '', subject = '', ...body] = record.split('\n');
  return { sha, author, subject, body: body.join('\n') };
}

/** Cuts at NUL, and decodes what is whole. */
function splitter(take: (record: string) => void): (bytes: Buffer) => void {
  let kept: Buffer[] = [];
  let length = 0;
  const keep = (part: Buffer): void => {
    if (length >= LONGEST) return;
    kept.push(part);
    length += part.length;
  };
  return (bytes) => {
    let from = 0;
    for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, from)) {
      keep(bytes.subarray(from, at));
      take(Buffer.concat(kept).toString('utf8', 0, LONGEST));
      kept = [];
      length = 0;
      from = at + 1;
    }
    if (from < bytes.length) keep(bytes.subarray(from));
  };
}
