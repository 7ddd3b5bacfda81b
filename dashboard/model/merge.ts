/** A list that was read, and what the stream has told since. */
import type { ShownDeployment } from './types.js';

export interface Filter {
  app?: string;
  environment?: string;
  kind?: string;
  outcome?: string;
  actor?: string;
}

export const FILTERS = ['app', 'environment', 'kind', 'outcome', 'actor'] as const;

export const matches = (one: ShownDeployment, filter: Filter): boolean =>
  FILTERS.every((key) => filter[key] === undefined || one[key] === filter[key]);

/** Unfinished first, then by end, newest first, as the API orders them; at most as many as are good to look at. */
export function merged(input: {
  read: readonly ShownDeployment[];
  told: ReadonlyMap<string, ShownDeployment>;
  filter: Filter;
  most?: number;
}): ShownDeployment[] {
  const { read, told, filter, most = 500 } = input;
  const all = new Map(read.map((one) => [one.id, one]));
  const oldest = read.at(-1)?.finishedAt ?? '';
  for (const one of told.values()) {
    // What ended before all that was read belongs to a later page.
    if (all.has(one.id) || (one.finishedAt ?? '9') > oldest) all.set(one.id, one);
  }
  return [...all.values()]
    .filter((one) => matches(one, filter))
    .sort((a, b) => orderOf(b).localeCompare(orderOf(a)))
    .slice(0, most);
}

const orderOf = ({ finishedAt, queuedAt }: ShownDeployment): string => finishedAt ?? `9 ${queuedAt}`;
