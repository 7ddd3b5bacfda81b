/** What was really made, in order: so that a test can count, whatever was asked how often. */

export const EFFECTS = [
  'branch',
  'tag',
  'commit',
  'pull',
  'merge',
  'labels',
  'release',
  'release-edit',
  'deployment',
  'status',
  'commit-status',
  'comment',
  'comment-edit',
  'dispatch',
  'cancel',
  'rerun',
] as const;
export type EffectKind = (typeof EFFECTS)[number];

export interface Effect {
  kind: EffectKind;
  /** ISO 8601, with milliseconds. */
  at: string;
  /** Login; `{slug}[bot]` for an app; `sandbox` for what was made in-process. */
  by: string;
  /** Name of a branch, tag or release; path of a file; number of a pull request; id of the rest. */
  what: string;
  /** Commit, environment, state: what tells two of a kind apart. */
  detail?: string;
}

export class Effects {
  readonly #made: Effect[] = [];

  add(effect: Omit<Effect, 'at'>): void {
    this.#made.push({ ...effect, at: new Date().toISOString() });
  }

  /** Oldest first. */
  list(kind?: EffectKind): Effect[] {
    return this.#made.filter((one) => kind === undefined || one.kind === kind).map((one) => ({ ...one }));
  }

  counts(): Record<EffectKind, number> {
    const counts = Object.fromEntries(EFFECTS.map((kind) => [kind, 0])) as Record<EffectKind, number>;
    for (const { kind } of this.#made) counts[kind] += 1;
    return counts;
  }
}
