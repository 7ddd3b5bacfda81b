/** What tests and demos do at this GitHub without a request. */
import type { Actions, RunDetails } from './actions/actions.js';
import type { Behaviour, BehaviourOf, Conclusion, Run } from './actions/run.js';
import type { Effect, EffectKind } from './effects.js';
import {
  mergePullRequest,
  openPullRequest,
  type MergedPullRequest,
  type MergePullRequest,
  type OpenedPullRequest,
  type OpenPullRequest,
} from './people.js';
import { push, type Push } from './pushes.js';
import type { Repository } from './repository.js';
import { pingPayload } from './shapes/payload.js';
import type { Place } from './shapes/place.js';
import type { GitHubState } from './state.js';
import type { WebhookFault } from './webhooks/faults.js';
import type { Delivery, Hook, HookOptions } from './webhooks/hooks.js';

/** All of them throw where there is no repository. */
export interface Control {
  openPullRequest(input: OpenPullRequest): Promise<OpenedPullRequest>;
  /**
   * Makes a real merge on the default branch and deletes the pull request's branch; opens it first where it is
   * not given by its number.
   * @throws where it cannot be merged
   */
  mergePullRequest(input: MergePullRequest): Promise<MergedPullRequest>;
  /**
   * Somebody pushes: moves the ref, or tells only where it has moved already (a commit of the sample repository).
   * @throws where nothing moves
   */
  push(input: Push): Promise<void>;
  /** What was really made so far, oldest first. */
  effects(kind?: EffectKind): Effect[];
  effectCounts(): Record<EffectKind, number>;
  webhooks: WebhookControl;
  workflows: WorkflowControl;
}

export interface WebhookControl {
  /** Makes the one webhook, or changes it, and pings it. @returns its id */
  set(hook: HookOptions): number;
  /** Attempts so far, oldest first, the last thousand. */
  deliveries(event?: string): Delivery[];
  /** Once more, with the same `X-GitHub-Delivery`. @throws where there is no such attempt */
  redeliver(id: number): Promise<Delivery>;
  fault(fault: WebhookFault): void;
  /** What is held goes out. */
  clearFaults(): void;
  /** What is held so far goes out, in its order; the fault stays. */
  release(): void;
  /** Until all that has happened is told and nothing is under way. */
  settled(): Promise<void>;
}

export interface WorkflowControl {
  /** How the runs of a workflow go from now on; a function is asked for each attempt. @param file `playwright.yml` */
  behave(file: string, behaviour: Behaviour | BehaviourOf): void;
  /** Oldest first. */
  runs(file?: string): Run[];
  /** Ends a run now, also a frozen one. @throws where there is no such run */
  finish(id: number, conclusion: Conclusion): void;
  /** A person starts it again. @throws where it still runs */
  rerun(id: number, by: string): Promise<void>;
  /** Whether GitHub knows `return_run_details`. */
  runDetails(kind: RunDetails): void;
}

export function controlOf(
  state: GitHubState,
  repository: Repository | undefined,
  place: () => Place,
): Control {
  const there = (): Repository => {
    if (!repository) throw new Error('This GitHub has no repository: start it with `repository`');
    return repository;
  };
  return {
    openPullRequest: async (input) => there().exclusive(() => openPullRequest(there(), state, input)),
    mergePullRequest: async (input) => there().exclusive(() => mergePullRequest(there(), state, input)),
    push: async (input) => {
      const by = state.contributor(input.by).login;
      await there().exclusive(() => push(there(), { ...input, by }));
    },
    effects: (kind) => there().effects.list(kind),
    effectCounts: () => there().effects.counts(),
    webhooks: webhooksOf(there, place),
    workflows: workflowsOf(() => there().actions),
  };
}

function webhooksOf(there: () => Repository, place: () => Place): WebhookControl {
  const hooks = () => there().hooks;
  return {
    set(options) {
      const [known] = hooks().hooks;
      const hook: Hook = known ? Object.assign(known, options) : hooks().add(options);
      hooks().announce({
        event: 'ping',
        payload: pingPayload(hook, there().owner, place()),
        hookId: hook.id,
      });
      return hook.id;
    },
    deliveries: (event) => hooks().deliveries.filter((one) => event === undefined || one.event === event),
    async redeliver(id) {
      const made = await hooks().redeliver(id);
      if (!made) throw new Error(`There is no delivery ${id} here, or its webhook is gone`);
      return made;
    },
    fault: (fault) => hooks().faults.add(fault),
    clearFaults: () => hooks().faults.clear(),
    release: () => hooks().faults.release(),
    async settled() {
      await there().events.settled();
      await hooks().settled();
    },
  };
}

function workflowsOf(actions: () => Actions): WorkflowControl {
  const runOf = (id: number): Run => {
    const run = actions().run(id);
    if (!run) throw new Error(`There is no run ${id} here`);
    return run;
  };
  return {
    behave: (file, behaviour) => actions().behave(file, behaviour),
    runs: (file) => actions().runs.filter(({ workflow }) => file === undefined || workflow.file === file),
    finish: (id, conclusion) => actions().finish(runOf(id), conclusion),
    async rerun(id, by) {
      const run = runOf(id);
      if (run.status !== 'completed') throw new Error(`Run ${id} still runs`);
      await actions().rerun(run, by);
    },
    runDetails(kind) {
      actions().runDetails = kind;
    },
  };
}
