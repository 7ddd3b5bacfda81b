/**
 * The source: a bare mirror of the configured branch in the worker's cache, shared by all its builds and by
 * other workers on the same machine.
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../domain/config.js';
import { scrubber } from '../../domain/scrub.js';
import { isCommit } from '../../domain/tags.js';
import { refuse } from '../failure.js';
import { githubFailure } from '../github/errors.js';
import { run } from '../run.js';
import type { Ran } from '../run.js';
import { gitEnvironment } from './environment.js';
import { withLock } from './lock.js';

/** Quick tries at a source that does not answer; after them it is a clear failure. */
const TRIES = 3;
const PAUSE_MS = 500;
const ASK_TIMEOUT_MS = 20_000;
const LONGEST_REASON = 300;

export interface Mirror {
  /**
   * Whether the commit is on the branch as the source has it now. GitHub serves any fork's commit by SHA: being
   * there says nothing.
   * @throws ApplicationFailure `CLONE_FAILED`
   */
  isOnBranch(commit: string, signal?: AbortSignal): Promise<boolean>;
  /**
   * Runs `work` with the commit's files (no `.git`) in a directory that is removed afterwards.
   * @param commit known by `isOnBranch`
   * @throws ApplicationFailure `CLONE_FAILED`
   */
  withCheckout<T>(
    input: { commit: string; signal?: AbortSignal },
    work: (directory: string) => Promise<T>,
  ): Promise<T>;
}

/** `${SLUICE_CACHE:-~/.cache/sluice}` */
export const cacheDirectory = (env: NodeJS.ProcessEnv = process.env): string =>
  env['SLUICE_CACHE'] || join(homedir(), '.cache', 'sluice');

export function createMirror(deps: {
  repository: Config['repository'];
  /** The server's GitHub token, or who gives the current one; used for HTTPS clones only. */
  token?: string | (() => Promise<string | undefined>);
  env?: NodeJS.ProcessEnv;
}): Mirror {
  const env = deps.env ?? process.env;
  const { token } = deps;
  const { cloneUrl } = deps.repository;
  return new GitMirror(deps.repository, {
    directory: join(cacheDirectory(env), 'mirrors', mirrorName(deps.repository)),
    env: gitEnvironment({ env, cloneUrl, ...(typeof token === 'string' ? { token } : {}) }),
    ...(typeof token === 'function' && /^https:/i.test(cloneUrl)
      ? { remoteEnv: async () => withToken({ env, cloneUrl }, await token().catch(noToken)) }
      : {}),
    hide: scrubber([typeof token === 'string' ? token : undefined]),
  });
}

/** An App's tokens end within the hour: asked for before each time that the source is asked. */
const withToken = (
  source: { env: NodeJS.ProcessEnv; cloneUrl: string },
  token: string | undefined,
): Record<string, string> => gitEnvironment({ ...source, ...(token === undefined ? {} : { token }) });

function noToken(error: unknown): never {
  throw githubFailure(error, {
    what: 'giving a token for the clone',
    needs: 'Contents: read',
    as: 'credentials',
  });
}

/** Readable, and one of its own for every URL. */
function mirrorName({ owner, name, cloneUrl }: Config['repository']): string {
  const unique = createHash('sha256').update(cloneUrl).digest('hex').slice(0, 12);
  return `${`${owner}-${name}`.replace(/[^A-Za-z0-9._-]/g, '_')}-${unique}.git`;
}

class GitMirror implements Mirror {
  private readonly ref: string;

  constructor(
    private readonly repository: Config['repository'],
    private readonly at: {
      directory: string;
      env: Record<string, string>;
      /** For what goes to the source; absent: `env`. */
      remoteEnv?: () => Promise<Record<string, string>>;
      hide: (text: string) => string;
    },
  ) {
    this.ref = `refs/heads/${repository.branch}`;
  }

  async isOnBranch(commit: string, signal?: AbortSignal): Promise<boolean> {
    if (!isCommit(commit)) return false;
    const head = await this.askHead(signal);
    if ((await this.git(['rev-parse', '--verify', '--quiet', this.ref], { signal })).stdout.trim() !== head) {
      await this.fetch(signal);
    }
    const first = await this.isAncestor(commit, signal);
    if (first !== undefined) return first;
    await this.remake(signal);
    const second = await this.isAncestor(commit, signal);
    if (second === undefined) throw this.failed('the mirror cannot be read, although it was made anew');
    return second;
  }

  async withCheckout<T>(
    { commit, signal }: { commit: string; signal?: AbortSignal },
    work: (directory: string) => Promise<T>,
  ): Promise<T> {
    const parent = await mkdtemp(join(tmpdir(), 'sluice-source-'));
    try {
      let ran = await this.checkout(commit, parent, signal);
      if (ran.code !== 0 && !signal?.aborted) {
        await this.remake(signal);
        ran = await this.checkout(commit, parent, signal);
      }
      signal?.throwIfAborted();
      if (ran.code !== 0) throw this.failed(this.reason(ran));
      return await work(join(parent, 'source'));
    } finally {
      await rm(parent, { recursive: true, force: true });
    }
  }

  /** Head of the branch at the source, which also tells an unreachable source apart from a broken mirror. */
  private async askHead(signal?: AbortSignal): Promise<string> {
    await this.prepare(signal);
    const args = ['ls-remote', '--exit-code', 'origin', this.ref];
    for (let attempt = 1; ; attempt += 1) {
      const env = await this.at.remoteEnv?.();
      const ran = await this.git(args, { signal, timeoutMs: ASK_TIMEOUT_MS, ...(env ? { env } : {}) });
      signal?.throwIfAborted();
      const head = ran.stdout.split(/\s/)[0] ?? '';
      if (ran.code === 0 && isCommit(head)) return head;
      if (ran.code === 2) throw this.failed(`it has no branch ${this.repository.branch}`);
      if (ran.ended === 'not-found') throw this.failed('git is not installed on this worker');
      if (attempt === TRIES) throw this.failed(this.reason(ran));
      await sleep(PAUSE_MS * attempt);
    }
  }

  /** @returns undefined where the mirror itself cannot be read */
  private async isAncestor(commit: string, signal?: AbortSignal): Promise<boolean | undefined> {
    const known = await this.git(['cat-file', '-e', `${commit}^{commit}`], { signal });
    if (known.code !== 0) {
      // Not there, or lost: only a history that is whole can say that it lacks a commit.
      const whole = await this.git(['rev-list', '--quiet', this.ref], { signal });
      signal?.throwIfAborted();
      return whole.code === 0 ? false : undefined;
    }
    const ran = await this.git(['merge-base', '--is-ancestor', commit, this.ref], { signal });
    signal?.throwIfAborted();
    return ran.code === 0 ? true : ran.code === 1 ? false : undefined;
  }

  /** A read-only use of the mirror, with an index of its own: any number at once. */
  private async checkout(commit: string, parent: string, signal?: AbortSignal): Promise<Ran> {
    await mkdir(join(parent, 'source'), { recursive: true });
    const env = { GIT_INDEX_FILE: join(parent, 'index'), GIT_WORK_TREE: join(parent, 'source') };
    const ran = await this.git(['read-tree', commit], { signal, env });
    if (ran.code !== 0) return ran;
    return await this.git(['checkout-index', '--all', '--force'], {
      signal,
      env,
      cwd: join(parent, 'source'),
    });
  }

  private async fetch(signal?: AbortSignal): Promise<void> {
    const ran = await this.locked(signal, () => this.fetchOnce(signal));
    signal?.throwIfAborted();
    // The source answered a moment ago, so it is the mirror.
    if (ran.code !== 0) await this.remake(signal);
  }

  private async fetchOnce(signal?: AbortSignal): Promise<Ran> {
    const env = await this.at.remoteEnv?.();
    return await this.git(
      ['fetch', '--quiet', '--no-tags', '--force', 'origin', `+${this.ref}:${this.ref}`],
      { signal, ...(env ? { env } : {}) },
    );
  }

  private async prepare(signal?: AbortSignal): Promise<void> {
    const { directory } = this.at;
    if ((await this.git(['rev-parse', '--git-dir'], { signal })).code === 0) return;
    await this.locked(signal, async () => {
      if ((await this.git(['rev-parse', '--git-dir'], { signal })).code !== 0)
        await this.init(directory, signal);
    });
  }

  private async remake(signal?: AbortSignal): Promise<void> {
    const ran = await this.locked(signal, async () => {
      await this.init(this.at.directory, signal);
      return await this.fetchOnce(signal);
    });
    signal?.throwIfAborted();
    if (ran.code !== 0) throw this.failed(this.reason(ran));
  }

  /** What is there is moved away first: whoever reads it now fails and looks again, instead of seeing half of it. */
  private async init(directory: string, signal?: AbortSignal): Promise<void> {
    await mkdir(directory, { recursive: true });
    const broken = `${directory}.broken-${process.pid}-${Date.now()}`;
    await rename(directory, broken);
    await rm(broken, { recursive: true, force: true });
    await mkdir(directory);
    const ran = await this.git(['init', '--quiet', '--bare', directory], { signal });
    signal?.throwIfAborted();
    if (ran.code !== 0) throw this.failed(this.reason(ran));
  }

  private async locked<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    return await withLock({ path: `${this.at.directory}.lock`, ...(signal ? { signal } : {}) }, work);
  }

  private async git(
    args: readonly string[],
    options: { signal?: AbortSignal; timeoutMs?: number; env?: Record<string, string>; cwd?: string },
  ): Promise<Ran> {
    const { signal, timeoutMs, env, cwd } = options;
    return await run({
      command: 'git',
      args,
      env: { ...this.at.env, GIT_DIR: this.at.directory, ...env },
      ...(signal ? { signal } : {}),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(cwd === undefined ? {} : { cwd }),
    });
  }

  private failed(why: string): Error {
    const { owner, name, cloneUrl } = this.repository;
    return refuse(
      'CLONE_FAILED',
      `The source of ${owner}/${name} (${this.at.hide(cloneUrl)}) cannot be fetched: ${why}`,
    );
  }

  /** What git, or what it stands on, complained of first. */
  private reason(ran: Ran): string {
    if (ran.ended === 'not-found') return 'git is not installed on this worker';
    if (ran.ended === 'timed-out') return `it did not answer within ${ASK_TIMEOUT_MS / 1000} s`;
    const lines = ran.stderr.split('\n').filter((line) => /^(fatal|error|remote|ssh):/.test(line));
    const line = lines[0] ?? ran.stderr.trim();
    return (
      this.at.hide(line.replace(/^(fatal|error): /, '')).slice(0, LONGEST_REASON) ||
      `git ended with ${ran.code}`
    );
  }
}
