/** A run of a GitHub Actions workflow. */

export const CONCLUSIONS = [
  'success',
  'failure',
  'cancelled',
  'timed_out',
  'skipped',
  'neutral',
  'action_required',
  'stale',
  'startup_failure',
] as const;
export type Conclusion = (typeof CONCLUSIONS)[number];

export interface Workflow {
  id: number;
  /** Name in `.github/workflows`. */
  file: string;
  name: string;
}

export interface Run {
  id: number;
  /** Counted per workflow. */
  number: number;
  /** 1, and one more with each re-run: the id stays. */
  attempt: number;
  workflow: Workflow;
  /** From `run-name`. */
  title: string;
  /** Branch or tag that it was dispatched on, and its commit then. */
  branch: string;
  sha: string;
  inputs: Record<string, string>;
  /** Login of who dispatched it, and of who started this attempt. */
  actor: string;
  triggeredBy: string;
  status: 'queued' | 'in_progress' | 'completed';
  conclusion: Conclusion | null;
  createdAt: string;
  startedAt: string;
  updatedAt: string;
  /** Epoch ms: lists do not show it before. */
  listedFrom: number;
}

/** How a workflow's runs go. */
export interface Behaviour {
  /** `success` */
  conclusion?: Conclusion;
  /** From the dispatch until it runs: 50. */
  queuedMs?: number;
  /** From then until it ends: 300. */
  durationMs?: number;
  /** It stays so until `finish`: in progress, or not even that. */
  frozen?: boolean | 'queued';
  /** How late lists show it: 0; GitHub may take seconds. */
  listedAfterMs?: number;
}

/** Asked once for each attempt, when it starts. */
export type BehaviourOf = (run: Run) => Behaviour | Promise<Behaviour>;
