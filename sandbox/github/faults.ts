/** How GitHub fails: chosen in-process or under `/_sandbox/faults`, for all routes or some. */
import { failed, type Answer } from './answers.js';

export const FAULTS = [
  'unavailable',
  'bad-gateway',
  'slow',
  'rate-limited',
  'secondary-limit',
  'lost-request',
  'lost-answer',
  'hold-after',
  'not-json',
] as const;

export interface Fault {
  /**
   * `lost-request`: the connection breaks and nothing was done; `lost-answer`: it was done, and breaks;
   * `hold-after`: it was done, and the answer waits for `delayMs` (an hour) or until whoever asked is gone:
   * time to kill them.
   */
  kind: (typeof FAULTS)[number];
  /** How many requests it meets; absent: until it is cleared. */
  times?: number;
  /** Only requests whose path begins so. */
  path?: string;
  /** Only requests whose path ends so: what stands after an id that is not known before. */
  ending?: string;
  /** Only this one: `POST`. */
  method?: string;
  /** Requests that it would meet to let pass first. */
  skip?: number;
  /** `slow`: how late it is carried out and answered; `hold-after`: how late it is answered. */
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

  /** The first that meets this request; one of its `times` is used up. */
  take(path: string, method = 'GET'): Fault | undefined {
    const fault = this.#active.find((each) => meets(each, path, method) && isDue(each));
    if (fault?.times !== undefined && --fault.times <= 0) {
      this.#active = this.#active.filter((each) => each !== fault);
    }
    return fault;
  }
}

const meets = (fault: Fault, path: string, method: string): boolean =>
  path.startsWith(fault.path ?? '/') &&
  path.endsWith(fault.ending ?? '') &&
  (fault.method ?? method).toUpperCase() === method;

function isDue(fault: Fault): boolean {
  if (!fault.skip) return true;
  fault.skip -= 1;
  return false;
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
    case 'lost-request':
    case 'lost-answer':
    case 'hold-after':
      return undefined;
  }
}
