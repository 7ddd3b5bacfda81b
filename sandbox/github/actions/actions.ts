/** GitHub Actions: workflows as the repository holds them, and runs that go on by themselves. */
import type { Events } from '../events.js';
import type { Git } from '../git.js';
import type { Behaviour, BehaviourOf, Conclusion, Run, Workflow } from './run.js';
import { fillIn, parseWorkflow, type WorkflowFile } from './workflow-file.js';

const FOLDER = '.github/workflows';
const QUEUED_MS = 50;
const DURATION_MS = 300;
/** GitHub answers first, and ends the run then. */
const CANCEL_MS = 30;

/** `refused`: GitHub Enterprise before 3.21 takes no `return_run_details`; `ignored`: it gives no details. */
export type RunDetails = 'given' | 'refused' | 'ignored';

export interface NewRun {
  workflow: Workflow;
  /** As it stands on the ref. */
  file: WorkflowFile;
  branch: string;
  sha: string;
  inputs: Record<string, string>;
  by: string;
}

interface Host {
  git: Git;
  events: Events;
  defaultBranch: string;
  nextId(): number;
}

const now = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

export class Actions {
  /** Oldest first. */
  readonly runs: Run[] = [];
  runDetails: RunDetails = 'given';
  readonly #ids = new Map<string, number>();
  readonly #behaviours = new Map<string, BehaviourOf>();
  readonly #timers = new Map<number, NodeJS.Timeout>();

  constructor(private readonly host: Host) {}

  /** @param file name in `.github/workflows` */
  behave(file: string, behaviour: Behaviour | BehaviourOf): void {
    this.#behaviours.set(file, typeof behaviour === 'function' ? behaviour : () => behaviour);
  }

  /** By its file's name or its id, as the default branch has it. */
  async workflow(name: string): Promise<Workflow | undefined> {
    return (await this.workflows()).find((one) => one.file === name || String(one.id) === name);
  }

  async workflows(): Promise<Workflow[]> {
    const { git, defaultBranch } = this.host;
    const head = (await git.resolve(`refs/heads/${defaultBranch}`)) ?? '';
    const files = (await git.entries(head, FOLDER)).map(({ path }) => path.slice(FOLDER.length + 1));
    const named = files.map(async (file) => {
      const { name } = (await this.file(file, head)) ?? {};
      return { id: this.#idOf(file), file, name: name ?? `${FOLDER}/${file}` };
    });
    return Promise.all(named);
  }

  /** @returns undefined where this commit has no such file */
  async file(name: string, commit: string): Promise<WorkflowFile | undefined> {
    const [entry] = await this.host.git.entries(commit, `${FOLDER}/${name}`);
    return entry && parseWorkflow((await this.host.git.blob(entry.sha)).toString('utf8'));
  }

  run(id: number): Run | undefined {
    return this.runs.find((one) => one.id === id);
  }

  /** Nothing is checked. */
  async start({ workflow, file, branch, sha, inputs, by }: NewRun): Promise<Run> {
    const github = { actor: by, ref_name: branch, sha, event_name: 'workflow_dispatch' };
    const at = now();
    const run: Run = {
      id: this.host.nextId(),
      number: this.runs.filter((one) => one.workflow.id === workflow.id).length + 1,
      attempt: 1,
      workflow,
      title: fillIn(file.runName ?? '', { inputs, github }).trim() || workflow.name,
      branch,
      sha,
      inputs,
      actor: by,
      triggeredBy: by,
      status: 'queued',
      conclusion: null,
      createdAt: at,
      startedAt: at,
      updatedAt: at,
      listedFrom: Date.now(),
    };
    const behaviour = await this.#behaviourOf(run);
    run.listedFrom += behaviour.listedAfterMs ?? 0;
    this.runs.push(run);
    this.host.events.tell({ event: 'workflow_run', action: 'requested', run });
    this.#queue(run, behaviour);
    return run;
  }

  /** Again under its id; GitHub tells no `requested` then. */
  async rerun(run: Run, by: string): Promise<void> {
    const at = now();
    const fresh = { status: 'queued', conclusion: null, startedAt: at, updatedAt: at } as const;
    Object.assign(run, { ...fresh, attempt: run.attempt + 1, triggeredBy: by } satisfies Partial<Run>);
    this.#queue(run, await this.#behaviourOf(run));
  }

  cancel(run: Run): void {
    this.#after(run, CANCEL_MS, () => this.finish(run, 'cancelled'));
  }

  /** Now, also one that is frozen. */
  finish(run: Run, conclusion: Conclusion): void {
    clearTimeout(this.#timers.get(run.id));
    if (run.status === 'completed') return;
    this.#become(run, { status: 'completed', conclusion });
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #idOf(file: string): number {
    const id = this.#ids.get(file) ?? this.host.nextId();
    this.#ids.set(file, id);
    return id;
  }

  async #behaviourOf(run: Run): Promise<Behaviour> {
    const asked = this.#behaviours.get(run.workflow.file);
    return asked ? asked(run) : {};
  }

  #queue(run: Run, behaviour: Behaviour): void {
    const { conclusion = 'success', queuedMs = QUEUED_MS, durationMs = DURATION_MS, frozen } = behaviour;
    if (frozen === 'queued') return;
    this.#after(run, queuedMs, () => {
      this.#become(run, { status: 'in_progress' });
      if (!frozen) this.#after(run, durationMs, () => this.finish(run, conclusion));
    });
  }

  #become(
    run: Run,
    change: Pick<Partial<Run>, 'conclusion'> & { status: 'in_progress' | 'completed' },
  ): void {
    Object.assign(run, { ...change, updatedAt: now() });
    this.host.events.tell({ event: 'workflow_run', action: change.status, run });
  }

  /** In place of what was to come of this run. */
  #after(run: Run, ms: number, then: () => void): void {
    clearTimeout(this.#timers.get(run.id));
    this.#timers.set(run.id, setTimeout(then, ms).unref());
  }
}
