/** What `POST /api/plans` answers. */
import type { NameChanges } from '../../domain/deployment.js';
import type { Plan } from '../../domain/plan.js';
import type { Tests } from '../../domain/promotion/promotion.js';

/** Of an approval also its evidence. */
export type Shown = Plan & { tests?: Tests };

const isEmpty = ({ added, removed, changed }: NameChanges): boolean =>
  added.length + removed.length + changed.length === 0;

/** It was looked, and neither variables nor secrets change: what is refused may not have come so far. */
export const isQuiet = ({ variables, secrets, refusal }: Shown): boolean =>
  !refusal && isEmpty(variables) && isEmpty(secrets);

/** Where it is not known which they are, a warning or the refusal says so. */
export const knowsCommits = ({ warnings, refusal, commitCount }: Shown): boolean =>
  commitCount > 0 || (!refusal && !warnings.some(({ code }) => code === 'COMMITS_UNKNOWN'));
