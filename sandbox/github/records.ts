/** What GitHub keeps beside Git. */

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

export interface Comment {
  id: number;
  /** Number of the pull request. */
  number: number;
  /** Login. */
  author: string;
  body: string;
  createdAt: string;
  updatedAt: string;
}

export interface CommitStatus {
  id: number;
  sha: string;
  state: 'error' | 'failure' | 'pending' | 'success';
  context: string;
  description: string | null;
  targetUrl: string | null;
  creator: string;
  createdAt: string;
}

/** As GitHub writes times: to the second. */
export const now = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');
