/** Tells how a build, or a run of tests, goes: last lines for people, heartbeats for Temporal. */
import { Context } from '@temporalio/activity';
import type { BuildProgress } from '../../domain/view.js';

/** Lines that are kept of one image, for the dossier. */
const KEPT = 200;
/** Lines that a heartbeat shows. */
const SHOWN = 20;
const LONGEST_LINE = 400;
/** No more than one heartbeat a second; at least one every two. */
const TICK_MS = 1_000;
const SILENT_TICKS = 2;

export type Phase = 'source' | 'prepare' | 'build' | 'push' | 'tests';

/** The output of one image, or of the preparation. */
export interface Output {
  add(this: void, line: string): void;
  /** Scrubbed, oldest first; at most the last 200. */
  readonly lines: string[];
}

export class Progress {
  private now: Omit<BuildProgress, 'lines'> = { phase: 'source' };
  private shown: string[] = [];
  private changed = true;
  private silent = 0;

  constructor(private readonly scrub: (text: string) => string) {}

  enter(phase: Phase, image?: string): void {
    this.now = { phase, ...(image ? { image } : {}) };
    this.changed = true;
  }

  output(image?: string): Output {
    const lines: string[] = [];
    const add = (raw: string): void => {
      // Scrubbed before it is cut: half a secret is not recognised.
      const line = this.scrub(raw).slice(0, LONGEST_LINE);
      if (lines.push(line) > KEPT) lines.shift();
      this.shown = [...this.shown, image ? `${image} | ${line}` : line].slice(-SHOWN);
      this.changed = true;
    };
    return { add, lines };
  }

  /** The last lines of all images; at most 20. */
  get lines(): string[] {
    return this.shown;
  }

  /** Heartbeats while `work` runs. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const context = Context.current();
    const beat = (): void => {
      this.silent += 1;
      if (!this.changed && this.silent < SILENT_TICKS) return;
      this.changed = false;
      this.silent = 0;
      context.heartbeat({ ...this.now, lines: this.shown });
    };
    beat();
    const timer = setInterval(beat, TICK_MS);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }
}
