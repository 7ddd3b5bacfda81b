/** Where people and releases turn to the entity `releases`: its state, and the handlers that change it. */
import { ApplicationFailure, condition, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import type { ImageClaim, ImageClaimed, ReleaseAccepted, ReleaseStateChange } from '../domain/messages.js';
import { SIGNAL, UPDATE } from '../domain/messages.js';
import { dateOf, releaseNames } from '../domain/release/dates.js';
import type { ReleaseInput, ReleaseRequest } from '../domain/release/release.js';
import type { RecoveredReleases, ReleasesState } from '../domain/release/releases.js';
import * as rules from '../domain/release/releases.js';
import { startRelease } from './releases-children.js';

export class ReleasesDesk {
  private changed = false;
  /** What was said before it was recovered: newer than what it recovers. */
  private early: ReleaseStateChange[] = [];
  /** Ids whose workflows are being started. */
  private readonly starting = new Set<string>();

  /** @param recovered false: nothing is answered until `recover` was called (invariant 4). */
  constructor(
    public state: ReleasesState,
    private recovered: boolean,
    private readonly tuning: ReleaseInput['tuning'],
  ) {}

  change(next: ReleasesState): void {
    this.changed ||= next !== this.state;
    this.state = next;
  }

  hasChanged(): boolean {
    return this.changed;
  }

  /** @returns whether something has changed since it was last taken. */
  takeChange(): boolean {
    const { changed } = this;
    this.changed = false;
    return changed;
  }

  recover(found: RecoveredReleases): void {
    this.change(this.early.reduce(rules.heed, rules.recover(this.state, found)));
    this.early = [];
    this.recovered = true;
  }

  isStarting(id: string): boolean {
    return this.starting.has(id);
  }

  /** Validators see what is known now; handlers wait until all is known, and look again. */
  open(): void {
    setHandler(
      defineUpdate<ReleaseAccepted, [ReleaseRequest]>(UPDATE.release),
      async (request) => {
        await condition(() => this.recovered);
        return this.accept(request);
      },
      { validator: (request: ReleaseRequest) => void (this.recovered && judged(this.state, request)) },
    );
    setHandler(defineUpdate<ImageClaimed, [ImageClaim]>(UPDATE.claim), async (asked) => {
      await condition(() => this.recovered);
      const { state, first } = rules.claim(this.state, asked);
      this.change(state);
      return first === undefined ? {} : { first };
    });
    setHandler(defineSignal<[ReleaseStateChange]>(SIGNAL.releaseState), (said) => {
      if (this.recovered) this.change(rules.heed(this.state, said));
      else this.early.push(said);
    });
  }

  /** Invariant 1: key, tag, date and place are taken before its workflow is started, which it is by the answer. */
  private async accept(request: ReleaseRequest): Promise<ReleaseAccepted> {
    for (;;) {
      const again = judged(this.state, request);
      if (again === undefined) break;
      // The same request came twice at once: the second answer is that of the first, once that is certain.
      if (!this.starting.has(again)) return answer(this.state.app, again, true);
      await condition(() => !this.starting.has(again));
    }
    for (;;) {
      const { state, names } = rules.accept(this.state, { request, now: Date.now() });
      const id = names.gitTag;
      this.change(state);
      this.starting.add(id);
      const started = await startRelease({ request, names, ...(this.tuning ? { tuning: this.tuning } : {}) });
      this.starting.delete(id);
      if (started) return answer(this.state.app, id, false);
      // A release of this second was forgotten with its entity: this one takes the next.
      this.change(rules.withdraw(this.state, id));
    }
  }
}

/** @returns the id, where the same request was accepted before. @throws where it is refused */
function judged(state: ReleasesState, request: ReleaseRequest): string | undefined {
  const verdict = rules.judge(state, request);
  if ('accept' in verdict) return verdict.accept === 'again' ? verdict.id : undefined;
  if (verdict.refuse === 'KEY_REUSED') {
    const message = 'This Idempotency-Key came with another request before';
    throw ApplicationFailure.nonRetryable(message, 'KEY_REUSED');
  }
  const message = `This image was released before, as ${verdict.first}. To release it once more, ask for it again (again: true)`;
  throw ApplicationFailure.nonRetryable(message, 'ALREADY_RELEASED', { id: verdict.first });
}

function answer(app: string, id: string, again: boolean): ReleaseAccepted {
  return { id, again, ...releaseNames(app, dateOf(app, id) ?? '') };
}
