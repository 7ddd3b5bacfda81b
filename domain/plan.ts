/**
 * What a deployment, rollback, redeployment, release or approval would do, found out by the very reads that it
 * would make. Names and digests only, no value (rule 7).
 */
import type { Code } from './codes.js';
import type { ImageChange, Kind, NameChanges, StepName, Target, Warning } from './deployment.js';
import type { Look, ResolvedImage } from './effects.js';

/** Input of the workflow `plan`. */
export interface PlanRequest extends Target {
  kind: Kind;
  /** Absent: a redeployment of what runs, or a rollback to the last verified release. */
  tag?: string;
  /** 40 hex; `tag` then is the commit too. */
  commit?: string;
  /** Repository → digest, where these decide and the tag is a label. */
  digests?: Record<string, string>;
  override?: boolean;
  /** Released, and deployed nowhere. */
  releaseOnly?: boolean;
}

export interface PlannedCommit {
  /** 40 hex. */
  sha: string;
  /** First line. */
  title: string;
  /** GitHub login, else the name in the commit. */
  author?: string;
}

/** Why it would be refused, in the step that would find it out. */
export interface PlanRefusal {
  step: StepName;
  code: Code;
  message: string;
}

export interface Plan extends Target {
  kind: Kind;
  tag?: string;
  /** What would run. */
  release?: string;
  /** What runs, where Sluice deployed it. */
  before?: string;
  /** Between what runs and what would, newest first, at most 100. */
  commits: PlannedCommit[];
  /** How many there are. */
  commitCount: number;
  /** They would be taken out: it goes back. */
  back?: boolean;
  images: ImageChange[];
  variables: NameChanges;
  secrets: NameChanges;
  warnings: Warning[];
  refusal?: PlanRefusal;
}

/** Of the activity that renders what `register` would register. */
export interface RenderPlanInput extends Target {
  tag: string;
  release: string;
  /** Absent: not built yet, and so without digests. */
  images?: ResolvedImage[];
  look: Pick<Look, 'revision'>;
}

export interface RenderedPlan {
  /** Release that the running revision was registered for, by its tag. */
  runs?: string;
  images: ImageChange[];
  variables: NameChanges;
  secrets: NameChanges;
}

export interface CompareInput {
  /** Commit. */
  base: string;
  head: string;
}

export interface Compared {
  /** Of `head` against `base`. */
  status: 'ahead' | 'behind' | 'identical' | 'diverged';
  commits: PlannedCommit[];
  commitCount: number;
}

const none = (): NameChanges => ({ added: [], removed: [], changed: [] });

export const emptyPlan = ({ kind, app, environment, tag }: PlanRequest): Plan => ({
  ...{ kind, app, environment },
  ...(tag ? { tag } : {}),
  ...{ commits: [], commitCount: 0, images: [], variables: none(), secrets: none(), warnings: [] },
});

export const refusedPlan = (plan: Plan, step: StepName, code: Code, message: string): Plan => ({
  ...plan,
  refusal: { step, code, message },
});

/** The date is given when it is released. */
export const PLANNED_RELEASE_TAG = 'rel-YYYY.MM.DD.HH.MM.SS';

export const UNBUILT: Warning = {
  code: 'BUILDING',
  message: 'Its images are not in the registry: they are built first, where the commit is on the branch',
};

export const alreadyRuns = (release: string): Warning => ({
  code: 'ALREADY_RUNS',
  message: `${release} runs there already`,
});

/** @param before id of the deployment that goes first */
export const decidedLater = (before: string): Warning => ({
  code: 'LANE_BUSY',
  message: `${before} goes before it: where it goes back to is decided at its turn, this is as of now`,
});

export const commitsUnknown = (why: string): Warning => ({
  code: 'COMMITS_UNKNOWN',
  message: `Which commits it brings is not known: ${why}`,
});

export const DIVERGED: Warning = {
  code: 'DIVERGED',
  message: 'What runs there has commits that this one does not contain: they would be gone',
};
