/** The repository itself: refs, commits and files by Git's own command. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { devNull } from 'node:os';
import { join } from 'node:path';

export interface Person {
  name: string;
  email: string;
}

export interface Signed extends Person {
  /** ISO 8601 */
  date: string;
}

export interface Commit {
  sha: string;
  tree: string;
  parents: string[];
  author: Signed;
  committer: Signed;
  message: string;
}

export interface Entry {
  mode: string;
  type: 'blob' | 'tree' | 'commit';
  sha: string;
  path: string;
  /** Bytes; 0 for what is no file. */
  size: number;
}

export interface NewCommit {
  tree: string;
  parents: string[];
  message: string;
  by: Person;
  /** Epoch seconds; absent: now. */
  at?: number;
}

export const SHA = /^[0-9a-f]{40}$/;
const FIELDS = ['%H', '%T', '%P', '%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%B'];
const FORMAT = `--format=${FIELDS.join('%x00')}`;

export class GitFailed extends Error {}

export class Git {
  private constructor(
    readonly dir: string,
    private readonly gitDir: string,
    private readonly isBare: boolean,
  ) {}

  static async open(dir: string): Promise<Git> {
    const [gitDir = '', bare] = lines(
      (await command(dir, ['rev-parse', '--absolute-git-dir', '--is-bare-repository'])).toString('utf8'),
    );
    return new Git(dir, gitDir, bare === 'true');
  }

  async run(args: string[], options: RunOptions = {}): Promise<string> {
    return (await command(this.gitDir, args, options)).toString('utf8');
  }

  async defaultBranch(): Promise<string> {
    return (await this.run(['symbolic-ref', '--short', 'HEAD'])).trim();
  }

  /** The commit of a SHA (or its beginning), branch, tag or full ref; undefined where there is none. */
  async resolve(name: string): Promise<string | undefined> {
    const isSha = /^[0-9a-f]{4,40}$/.test(name);
    const names = name.startsWith('refs/') ? [name] : [`refs/heads/${name}`, `refs/tags/${name}`];
    for (const one of [...names, ...(isSha ? [name] : [])]) {
      const sha = await this.#commitOf(one);
      if (sha) return sha;
    }
    return undefined;
  }

  async #commitOf(name: string): Promise<string | undefined> {
    const asked = this.run(['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`]);
    const sha = await asked.then(
      (text) => text.trim(),
      () => '',
    );
    return SHA.test(sha) ? sha : undefined;
  }

  /** What a full ref points to: a commit, or an annotated tag's object. */
  async ref(ref: string): Promise<{ ref: string; sha: string; type: string } | undefined> {
    return (await this.refs(ref)).find((one) => one.ref === ref);
  }

  /** Refs that begin so, sorted. */
  async refs(prefix: string): Promise<{ ref: string; sha: string; type: string }[]> {
    const text = await this.run(['for-each-ref', '--format=%(refname) %(objectname) %(objecttype)']);
    return lines(text)
      .map((line) => line.split(' '))
      .map(([ref = '', sha = '', type = '']) => ({ ref, sha, type }))
      .filter((one) => one.ref.startsWith(prefix));
  }

  async isRefName(ref: string): Promise<boolean> {
    return this.run(['check-ref-format', ref]).then(
      () => true,
      () => false,
    );
  }

  /** @param before what must stand there; forty zeros: nothing */
  async updateRef(ref: string, sha: string, before?: string): Promise<void> {
    await this.run(['update-ref', ref, sha, ...(before ? [before] : [])]);
    // Somebody's work tree must not take back what was merged here.
    const isCheckedOut = !this.isBare && `refs/heads/${await this.defaultBranch()}` === ref;
    if (isCheckedOut) await command(this.dir, ['reset', '--hard', '--quiet']);
  }

  async deleteRef(ref: string): Promise<void> {
    await this.run(['update-ref', '-d', ref]);
  }

  async commit(sha: string): Promise<Commit> {
    const [found] = await this.log(['--max-count=1', sha]);
    if (!found) throw new GitFailed(`no commit ${sha}`);
    return found;
  }

  /** @param args revisions and limits, as `git log` takes them */
  async log(args: string[], paths: string[] = []): Promise<Commit[]> {
    const text = await this.run(['log', '-z', FORMAT, ...args, '--', ...paths]);
    const fields = text.split('\0');
    const commits: Commit[] = [];
    for (let at = 0; at + FIELDS.length <= fields.length; at += FIELDS.length)
      commits.push(toCommit(fields.slice(at, at + FIELDS.length)));
    return commits;
  }

  async count(range: string, paths: string[] = []): Promise<number> {
    return Number(await this.run(['rev-list', '--count', range, '--', ...paths]));
  }

  async mergeBase(a: string, b: string): Promise<string | undefined> {
    return this.run(['merge-base', a, b]).then(
      (text) => text.trim(),
      () => undefined,
    );
  }

  async isAncestor(a: string, b: string): Promise<boolean> {
    return this.run(['merge-base', '--is-ancestor', a, b]).then(
      () => true,
      () => false,
    );
  }

  /** What is at a path of a commit; a directory's entries where it is one. */
  async entries(commit: string, path: string): Promise<Entry[]> {
    const at = path === '' ? [] : [path];
    const [self] = at.length ? await this.#tree(commit, at) : [];
    if (self?.type === 'blob' || self?.type === 'commit') return [self];
    return this.#tree(commit, path === '' ? [] : [`${path}/`]);
  }

  async #tree(commit: string, paths: string[]): Promise<Entry[]> {
    const text = await this.run([
      '--literal-pathspecs',
      'ls-tree',
      '-z',
      '-l',
      '--full-tree',
      commit,
      '--',
      ...paths,
    ]);
    return text
      .split('\0')
      .filter((line) => line !== '')
      .map((line) => {
        const [, mode = '', type, sha = '', size, path = ''] =
          /^(\d+) (\w+) (\w+) +(\S+)\t(.*)$/s.exec(line) ?? [];
        return { mode, type: type as Entry['type'], sha, path, size: Number(size) || 0 };
      });
  }

  async blob(sha: string): Promise<Buffer> {
    return command(this.gitDir, ['cat-file', 'blob', sha]);
  }

  /** The tree of a commit with these files written into it. */
  async treeWith(commit: string, files: Record<string, string | Buffer>): Promise<string> {
    const index = join(this.gitDir, `sandbox-index-${randomUUID()}`);
    const env = { GIT_INDEX_FILE: index };
    try {
      await this.run(['read-tree', commit], { env });
      for (const [path, content] of Object.entries(files)) {
        const sha = (await this.run(['hash-object', '-w', '--stdin'], { input: content })).trim();
        const mode = (await this.entries(commit, path)).find((one) => one.path === path)?.mode ?? '100644';
        await this.run(['update-index', '--add', '--replace', '--cacheinfo', `${mode},${sha},${path}`], {
          env,
        });
      }
      return (await this.run(['write-tree'], { env })).trim();
    } finally {
      await rm(index, { force: true });
    }
  }

  /** The tree of a merge; undefined where they conflict. */
  async mergedTree(ours: string, theirs: string): Promise<string | undefined> {
    return this.run(['merge-tree', '--write-tree', ours, theirs]).then(
      (text) => lines(text)[0],
      () => undefined,
    );
  }

  async makeCommit({ tree, parents, message, by, at }: NewCommit): Promise<string> {
    const date = `${at ?? Math.floor(Date.now() / 1_000)} +0000`;
    const env = {
      GIT_AUTHOR_NAME: by.name,
      GIT_AUTHOR_EMAIL: by.email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: by.name,
      GIT_COMMITTER_EMAIL: by.email,
      GIT_COMMITTER_DATE: date,
    };
    const of = parents.flatMap((parent) => ['-p', parent]);
    return (await this.run(['commit-tree', tree, ...of, '-F', '-'], { env, input: message })).trim();
  }
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

function toCommit(fields: string[]): Commit {
  const [sha = '', tree = '', parents = '', an = '', ae = '', ad = '', cn = '', ce = '', cd = '', body = ''] =
    fields;
  return {
    sha,
    tree,
    parents: parents.split(' ').filter((one) => one !== ''),
    author: { name: an, email: ae, date: inUtc(ad) },
    committer: { name: cn, email: ce, date: inUtc(cd) },
    message: body.replace(/\n+$/, ''),
  };
}

const inUtc = (date: string): string => new Date(date).toISOString().replace(/\.\d+Z$/, 'Z');

interface RunOptions {
  input?: string | Buffer;
  env?: Record<string, string>;
}

/** Nothing of the machine's Git configuration: no hooks, no signing. */
function command(cwd: string, args: string[], { input, env }: RunOptions = {}): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const clean = {
      PATH: process.env['PATH'],
      GIT_CONFIG_GLOBAL: devNull,
      GIT_CONFIG_NOSYSTEM: '1',
      LC_ALL: 'C',
    };
    const child = spawn('git', args, { cwd, env: { ...clean, ...env }, stdio: 'pipe' });
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) return resolve(Buffer.concat(out));
      const said = Buffer.concat(errors).toString('utf8').trim();
      reject(new GitFailed(`git ${args[0]} ended with ${code}: ${said}`));
    });
    // A command that does not read closes first.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
  });
}
