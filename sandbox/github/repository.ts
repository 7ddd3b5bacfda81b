/** The one repository: its Git, and what GitHub keeps beside it. */
import { Effects } from './effects.js';
import { Git } from './git.js';

export interface RepositoryOptions {
  owner: string;
  name: string;
  /** A Git repository, bare or with a work tree: what is made here is really made in it. */
  dir: string;
}

export interface Label {
  id: number;
  name: string;
  color: string;
  description: string;
}

export interface Pull {
  id: number;
  number: number;
  title: string;
  body: string | null;
  /** Login. */
  author: string;
  /** Branch of this repository. */
  head: string;
  base: string;
  labels: Label[];
  state: 'open' | 'closed';
  draft: boolean;
  createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  mergedAt: string | null;
  mergedBy: string | null;
  /** Where head and base stood last while it was open. */
  headSha: string;
  baseSha: string;
  /** The merge; before it the one that GitHub tries, null where it conflicts. */
  mergeCommit: string | null;
}

export interface Release {
  id: number;
  tag: string;
  target: string;
  name: string | null;
  body: string | null;
  draft: boolean;
  prerelease: boolean;
  author: string;
  /** Of its commit. */
  createdAt: string;
  publishedAt: string | null;
  updatedAt: string;
}

export const STATES = [
  'error',
  'failure',
  'inactive',
  'in_progress',
  'queued',
  'pending',
  'success',
] as const;

export interface DeploymentStatus {
  id: number;
  state: (typeof STATES)[number];
  description: string;
  logUrl: string;
  environmentUrl: string;
  environment: string;
  creator: string;
  createdAt: string;
}

export interface Deployment {
  id: number;
  sha: string;
  ref: string;
  task: string;
  environment: string;
  payload: unknown;
  description: string | null;
  creator: string;
  transient: boolean;
  production: boolean;
  createdAt: string;
  updatedAt: string;
  /** Oldest first. */
  statuses: DeploymentStatus[];
}

/** As GitHub writes times: to the second. */
export const now = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

export class Repository {
  readonly effects = new Effects();
  /** Oldest first, all of them. */
  readonly pulls: Pull[] = [];
  readonly releases: Release[] = [];
  readonly deployments: Deployment[] = [];
  readonly labels: Label[] = [];
  readonly createdAt = now();
  #lastId = 1_000;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly owner: string,
    readonly name: string,
    readonly git: Git,
    readonly defaultBranch: string,
  ) {}

  static async open({ owner, name, dir }: RepositoryOptions): Promise<Repository> {
    const git = await Git.open(dir);
    return new Repository(owner, name, git, await git.defaultBranch());
  }

  nextId(): number {
    return ++this.#lastId;
  }

  /** Writes take turns: what one has looked at stays so until it is done. */
  exclusive<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  pull(number: number): Pull | undefined {
    return this.pulls.find((one) => one.number === number);
  }

  /** Found whatever the case of its letters; made where it is not there, as GitHub does for an issue. */
  label(name: string): Label {
    const known = this.labels.find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (known) return known;
    const made = { id: this.nextId(), name, color: 'ededed', description: '' };
    this.labels.push(made);
    return made;
  }
}
