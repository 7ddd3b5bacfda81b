/**
 * A bare mirror of one branch of the source on this machine's disk, shared by all workers here: made where it is not
 * there, brought up to the source, made anew where it is broken.
 */
import { mkdir, rename, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../domain/config/config.js';
import { isCommit } from '../../domain/tags.js';
import { later, refuse } from '../failure.js';
import { run } from '../run.js';
import type { Ran, Run } from '../run.js';
import { withLock } from './lock.js';

/** Quick tries at a source that does not answer; after them it is a clear failure. */
const TRIES = 3;
const PAUSE_MS = 500;
const ASK_TIMEOUT_MS = 20_000;
const LONGEST_REASON = 300;

/** What becomes of a source that does not answer: a failure for good, or one that is tried again. */
export type Outage = 'refuse' | 'wait';

export interface Place {
  directory: string;
  env: Record<string, string>;
  /** For what goes to the source; absent: `env`. */
  remoteEnv?: () => Promise<Record<string, string>>;
  hide: (text: string) => string;
  outage: Outage;
}

type Given = Omit<Run, 'command' | 'args' | 'onLine'>;
type GitOptions = { [K in keyof Given]?: Given[K] | undefined };

export class Bare {
  readonly ref: string;

  constructor(
    private readonly repository: Config['repository'],
    private readonly at: Place,
  ) {
    this.ref = `refs/heads/${repository.branch}`;
  }

  /** Brought up to the branch as the source has it now. @returns its head there, when it was asked for */
  async update(signal?: AbortSignal): Promise<string> {
    const head = await this.askHead(signal);
    if ((await this.head(signal)) !== head) await this.fetch(signal);
    return head;
  }

  /** Head of the branch in the mirror; empty where it has none. */
  async head(signal?: AbortSignal): Promise<string> {
    return (await this.git(['rev-parse', '--verify', '--quiet', this.ref], { signal })).stdout.trim();
  }

  /** A commit that may be on no branch any more; the source may serve it all the same. @returns whether it is there */
  async obtain(commit: string, signal?: AbortSignal): Promise<boolean> {
    const isThere = async () =>
      (await this.git(['cat-file', '-e', `${commit}^{commit}`], { signal })).code === 0;
    if (await isThere()) return true;
    await this.locked(signal, () => this.fetchOnce(commit, signal));
    signal?.throwIfAborted();
    return await isThere();
  }

  async remake(signal?: AbortSignal): Promise<void> {
    const ran = await this.locked(signal, async () => {
      await this.init(this.at.directory, signal);
      return await this.fetchOnce(this.refspec, signal);
    });
    signal?.throwIfAborted();
    if (ran.code !== 0) throw this.down(this.reason(ran));
  }

  async git(args: readonly string[], { env, ...options }: GitOptions = {}): Promise<Ran> {
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    return await run({
      ...(Object.fromEntries(given) as Omit<Given, 'env'>),
      command: 'git',
      args,
      env: { ...this.at.env, GIT_DIR: this.at.directory, ...env },
    });
  }

  /** Somebody has to mend this worker, or the configuration. */
  failed(why: string): Error {
    const text = `${this.name} cannot be fetched: ${why}`;
    return this.at.outage === 'wait' ? later('CLONE_FAILED', text) : refuse('CLONE_FAILED', text);
  }

  /** What git, or what it stands on, complained of first. */
  reason(ran: Ran): string {
    if (ran.ended === 'not-found') return 'git is not installed on this worker';
    if (ran.ended === 'timed-out') return `it did not answer within ${ASK_TIMEOUT_MS / 1000} s`;
    const lines = ran.stderr.split('\n').filter((line) => /^(fatal|error|remote|ssh):/.test(line));
    const line = lines[0] ?? ran.stderr.trim();
    return (
      this.at.hide(line.replace(/^(fatal|error): /, '')).slice(0, LONGEST_REASON) ||
      `git ended with ${ran.code}`
    );
  }

  private down(why: string): Error {
    if (this.at.outage === 'refuse') return this.failed(why);
    return later('GITHUB_DOWN', `${this.name} cannot be asked: ${why}; it is asked again`);
  }

  private get name(): string {
    const { owner, name, cloneUrl } = this.repository;
    return `The source of ${owner}/${name} (${this.at.hide(cloneUrl)})`;
  }

  private get refspec(): string {
    return `+${this.ref}:${this.ref}`;
  }

  /** Head of the branch at the source, which also tells an unreachable source apart from a broken mirror. */
  private async askHead(signal?: AbortSignal): Promise<string> {
    await this.prepare(signal);
    const args = ['ls-remote', '--exit-code', 'origin', this.ref];
    for (let attempt = 1; ; attempt += 1) {
      const env = await this.at.remoteEnv?.();
      const ran = await this.git(args, { signal, timeoutMs: ASK_TIMEOUT_MS, env });
      signal?.throwIfAborted();
      const head = ran.stdout.split(/\s/)[0] ?? '';
      if (ran.code === 0 && isCommit(head)) return head;
      // It answered: the configuration names a branch that it does not have.
      if (ran.code === 2) {
        throw refuse(
          'CLONE_FAILED',
          `${this.name} cannot be fetched: it has no branch ${this.repository.branch}`,
        );
      }
      if (ran.ended === 'not-found') throw this.failed(this.reason(ran));
      if (attempt === TRIES) throw this.down(this.reason(ran));
      await sleep(PAUSE_MS * attempt);
    }
  }

  private async fetch(signal?: AbortSignal): Promise<void> {
    const ran = await this.locked(signal, () => this.fetchOnce(this.refspec, signal));
    signal?.throwIfAborted();
    // The source answered a moment ago, so it is the mirror.
    if (ran.code !== 0) await this.remake(signal);
  }

  private async fetchOnce(what: string, signal?: AbortSignal): Promise<Ran> {
    const env = await this.at.remoteEnv?.();
    return await this.git(['fetch', '--quiet', '--no-tags', '--force', 'origin', what], { signal, env });
  }

  private async prepare(signal?: AbortSignal): Promise<void> {
    const { directory } = this.at;
    if ((await this.git(['rev-parse', '--git-dir'], { signal })).code === 0) return;
    await this.locked(signal, async () => {
      if ((await this.git(['rev-parse', '--git-dir'], { signal })).code !== 0)
        await this.init(directory, signal);
    });
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
}
