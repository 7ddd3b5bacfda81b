/** The one repository: its Git, and what GitHub keeps beside it. */
import { Actions } from './actions/actions.js';
import { Effects } from './effects.js';
import { Events } from './events.js';
import { Git } from './git.js';
import { REPOSITORY_ID } from './ids.js';
import {
  now,
  type Comment,
  type CommitStatus,
  type Deployment,
  type Label,
  type Pull,
  type Release,
} from './records.js';
import { Hooks } from './webhooks/hooks.js';

export interface RepositoryOptions {
  owner: string;
  name: string;
  /** A Git repository, bare or with a work tree: what is made here is really made in it. */
  dir: string;
}

export class Repository {
  readonly effects = new Effects();
  readonly events = new Events();
  /** Oldest first, all of them. */
  readonly pulls: Pull[] = [];
  readonly releases: Release[] = [];
  readonly deployments: Deployment[] = [];
  readonly labels: Label[] = [];
  readonly comments: Comment[] = [];
  readonly commitStatuses: CommitStatus[] = [];
  readonly hooks = new Hooks(REPOSITORY_ID, () => this.nextId());
  readonly actions: Actions;
  readonly createdAt = now();
  #lastId = 1_000;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly owner: string,
    readonly name: string,
    readonly git: Git,
    readonly defaultBranch: string,
  ) {
    this.actions = new Actions(this);
  }

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
