/** What `POST /api/plans` answers, as far as it is shown. */
import type { ImageChange, NameChanges, Warning } from '../../domain/deployment.js';

export interface Shown {
  release?: string;
  tag?: string;
  commits?: { sha: string; title: string; author?: string; pullRequest?: number }[];
  images?: (Partial<ImageChange> & { container: string })[];
  variables?: NameChanges;
  secrets?: NameChanges;
  tests?: { state?: string; url?: string };
  warnings?: Warning[];
}

const isEmpty = ({ added, removed, changed }: NameChanges): boolean =>
  added.length + removed.length + changed.length === 0;

/** It was looked, and neither variables nor secrets change. */
export const isQuiet = ({ variables, secrets }: Shown): boolean =>
  variables !== undefined && isEmpty(variables) && (secrets === undefined || isEmpty(secrets));
