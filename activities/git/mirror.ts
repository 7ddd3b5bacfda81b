/**
 * The source: a bare mirror of the configured branch in the worker's cache, shared by all its builds and by
 * other workers on the same machine.
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../domain/config/config.js';
import { scrubber } from '../../domain/scrub.js';
import { isCommit } from '../../domain/tags.js';
import { githubFailure } from '../github/errors.js';
import type { Ran } from '../run.js';
import { Bare, type Outage } from './bare.js';
import { gitEnvironment } from './environment.js';

/** The mirror, brought up to the branch as the source has it now. */
export interface History {
  /** Head of the branch: 40 hex. */
  head: string;
  /**
   * Runs git in it, reading only.
   * @param options.codes exit codes that are an answer; 0 alone
   * @param options.onBytes takes standard output as it comes, of any length
   * @throws where git cannot read the mirror
   */
  git(args: string[], options?: { codes?: number[]; onBytes?: (bytes: Buffer) => void }): Promise<Ran>;
  /** A commit that may have been forced off the branch. @returns whether it is in the mirror now */
  obtain(commit: string): Promise<boolean>;
}

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
  /**
   * Lets `work` read the history of the branch as the source has it now; once more, from the beginning, where the
   * mirror was broken.
   * @throws ApplicationFailure `CLONE_FAILED`, `GITHUB_DOWN`
   */
  read<T>(work: (history: History) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

const UNREADABLE = 'the mirror cannot be read, although it was made anew';

/** git could not answer from the mirror. */
class Unreadable extends Error {}

/** `${SLUICE_CACHE:-~/.cache/sluice}` */
export const cacheDirectory = (env: NodeJS.ProcessEnv = process.env): string =>
  env['SLUICE_CACHE'] || join(homedir(), '.cache', 'sluice');

export function createMirror(deps: {
  repository: Config['repository'];
  /** The server's GitHub token, or who gives the current one; used for HTTPS clones only. */
  token?: string | (() => Promise<string | undefined>);
  env?: NodeJS.ProcessEnv;
  /**
   * Of a source that does not answer. `refuse` (default): `CLONE_FAILED`, for good; `wait`: retryable, `GITHUB_DOWN`.
   * A branch that it does not have is refused in any case.
   */
  outage?: Outage;
}): Mirror {
  const env = deps.env ?? process.env;
  const { token, outage = 'refuse' } = deps;
  const { cloneUrl } = deps.repository;
  const bare = new Bare(deps.repository, {
    directory: join(cacheDirectory(env), 'mirrors', mirrorName(deps.repository)),
    env: gitEnvironment({ env, cloneUrl, ...(typeof token === 'string' ? { token } : {}) }),
    ...(typeof token === 'function' && /^https:/i.test(cloneUrl)
      ? { remoteEnv: async () => withToken({ env, cloneUrl }, await token().catch(noToken)) }
      : {}),
    hide: scrubber([typeof token === 'string' ? token : undefined]),
    outage,
  });
  return new GitMirror(bare);
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
  constructor(private readonly bare: Bare) {}

  async isOnBranch(commit: string, signal?: AbortSignal): Promise<boolean> {
    if (!isCommit(commit)) return false;
    await this.bare.update(signal);
    const first = await this.isAncestor(commit, signal);
    if (first !== undefined) return first;
    await this.bare.remake(signal);
    const second = await this.isAncestor(commit, signal);
    if (second === undefined) throw this.bare.failed(UNREADABLE);
    return second;
  }

  async read<T>(work: (history: History) => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.bare.update(signal);
    try {
      return await work(await this.history(signal));
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      await this.bare.remake(signal);
    }
    try {
      return await work(await this.history(signal));
    } catch (error) {
      throw error instanceof Unreadable ? this.bare.failed(UNREADABLE) : error;
    }
  }

  private async history(signal: AbortSignal | undefined): Promise<History> {
    const git: History['git'] = async (args, { codes = [0], onBytes } = {}) => {
      const ran = await this.bare.git(args, { signal, onBytes });
      signal?.throwIfAborted();
      if (!codes.includes(ran.code)) throw new Unreadable();
      return ran;
    };
    const { stdout } = await git(['rev-parse', '--verify', '--quiet', this.bare.ref]);
    return { head: stdout.trim(), git, obtain: (commit) => this.bare.obtain(commit, signal) };
  }

  async withCheckout<T>(
    { commit, signal }: { commit: string; signal?: AbortSignal },
    work: (directory: string) => Promise<T>,
  ): Promise<T> {
    const parent = await mkdtemp(join(tmpdir(), 'sluice-source-'));
    try {
      let ran = await this.checkout(commit, parent, signal);
      if (ran.code !== 0 && !signal?.aborted) {
        await this.bare.remake(signal);
        ran = await this.checkout(commit, parent, signal);
      }
      signal?.throwIfAborted();
      if (ran.code !== 0) throw this.bare.failed(this.bare.reason(ran));
      return await work(join(parent, 'source'));
    } finally {
      await rm(parent, { recursive: true, force: true });
    }
  }

  /** @returns undefined where the mirror itself cannot be read */
  private async isAncestor(commit: string, signal?: AbortSignal): Promise<boolean | undefined> {
    const known = await this.bare.git(['cat-file', '-e', `${commit}^{commit}`], { signal });
    if (known.code !== 0) {
      // Not there, or lost: only a history that is whole can say that it lacks a commit.
      const whole = await this.bare.git(['rev-list', '--quiet', this.bare.ref], { signal });
      signal?.throwIfAborted();
      return whole.code === 0 ? false : undefined;
    }
    const ran = await this.bare.git(['merge-base', '--is-ancestor', commit, this.bare.ref], { signal });
    signal?.throwIfAborted();
    return ran.code === 0 ? true : ran.code === 1 ? false : undefined;
  }

  /** A read-only use of the mirror, with an index of its own: any number at once. */
  private async checkout(commit: string, parent: string, signal?: AbortSignal): Promise<Ran> {
    await mkdir(join(parent, 'source'), { recursive: true });
    const env = { GIT_INDEX_FILE: join(parent, 'index'), GIT_WORK_TREE: join(parent, 'source') };
    const ran = await this.bare.git(['read-tree', commit], { signal, env });
    if (ran.code !== 0) return ran;
    return await this.bare.git(['checkout-index', '--all', '--force'], {
      signal,
      env,
      cwd: join(parent, 'source'),
    });
  }
}
