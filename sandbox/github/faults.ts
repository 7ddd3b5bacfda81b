/** How GitHub fails: chosen in-process or under `/_sandbox/faults`, for all routes or some. */
import { failed, type Answer } from './answers.js';

export const FAULTS = [
  'unavailable',
  'bad-gateway',
  'slow',
  'rate-limited',
  'secondary-limit',
  'lost-answer',
  'not-json',
] as const;

export interface Fault {
  kind: (typeof FAULTS)[number];
  /** How many requests it meets; absent: until it is cleared. */
  times?: number;
  /** Only requests whose path begins so. */
  path?: string;
  /** `slow`: how late the answer is. */
  delayMs?: number;
  /** `secondary-limit`, `unavailable`: the header `retry-after`; absent: none is sent. */
  retryAfter?: number;
  /** `rate-limited`: seconds until the limit is lifted. */
  resetIn?: number;
  /** `rate-limited`, `secondary-limit`: GitHub uses both. */
  status?: 403 | 429;
}

export class Faults {
  #active: Fault[] = [];

  add(fault: Fault): void {
    this.#active.push({ ...fault });
  }

  clear(): void {
    this.#active = [];
  }

  list(): Fault[] {
    return this.#active.map((fault) => ({ ...fault }));
  }

  /** The first that meets this path; one of its `times` is used up. */
  take(path: string): Fault | undefined {
    const fault = this.#active.find((each) => path.startsWith(each.path ?? '/'));
    if (fault?.times !== undefined && --fault.times <= 0) {
      this.#active = this.#active.filter((each) => each !== fault);
    }
    return fault;
  }
}

const PAGE = '<!DOCTYPE html><html><head><title>Unicorn! &middot; GitHub</title></head><body></body></html>';
const LIMITS = 'https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api';

/** What is answered instead; undefined where the request is carried out all the same. */
export function answerOfFault(fault: Fault, nowSeconds: number): Answer | undefined {
  const status = fault.status ?? 403;
  const retryAfter: Record<string, string> =
    fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
  switch (fault.kind) {
    case 'unavailable':
      return { ...failed(503, 'Service Unavailable'), headers: retryAfter };
    case 'bad-gateway':
      return { status: 502, text: PAGE };
    case 'not-json':
      return { status: 200, text: '<html><body>Sign in to this network</body></html>' };
    case 'rate-limited': {
      const reset = String(Math.ceil(nowSeconds + (fault.resetIn ?? 60)));
      const headers = {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-used': '5000',
        'x-ratelimit-reset': reset,
      };
      return { ...failed(status, 'API rate limit exceeded for user ID 1.', LIMITS), headers };
    }
    case 'secondary-limit': {
      const text =
        'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
      return { ...failed(status, text, `${LIMITS}#about-secondary-rate-limits`), headers: retryAfter };
    }
    case 'slow':
    case 'lost-answer':
      return undefined;
  }
}
