/** What `POST /api/plans` answers, as far as it is shown. */
import type { ImageChange, NameChanges, Warning } from '../../domain/deployment.js';

export interface Shown {
  release?: string;
  tag?: string;
  /** What runs, where Sluice deployed it. */
  before?: string;
  commits?: { sha: string; title: string; author?: string; pullRequest?: number }[];
  /** More of them than are listed. */
  commitCount?: number;
  /** They would be taken out: it goes back. */
  back?: boolean;
  images?: (Partial<ImageChange> & { container: string })[];
  variables?: NameChanges;
  secrets?: NameChanges;
  tests?: { state?: string; url?: string };
  warnings?: Warning[];
  /** Why it would be refused. */
  refusal?: { step: string; code: string; message: string };
}

const isEmpty = ({ added, removed, changed }: NameChanges): boolean =>
  added.length + removed.length + changed.length === 0;

/** It was looked, and neither variables nor secrets change. */
export const isQuiet = ({ variables, secrets }: Shown): boolean =>
  variables !== undefined && isEmpty(variables) && (secrets === undefined || isEmpty(secrets));

/** Where it is not known which they are, a warning says so. */
export const knowsCommits = ({ commits, warnings = [] }: Shown): boolean =>
  commits !== undefined && !warnings.some(({ code }) => code === 'COMMITS_UNKNOWN');
