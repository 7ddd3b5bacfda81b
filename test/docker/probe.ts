/** Asks a service for its version all the time, as its users would, and forgets no answer. */
import { expect } from 'vitest';

const EVERY_MS = 75;
const TIMEOUT_MS = 5_000;

export interface Probed {
  requests: number;
  failures: string[];
  /** Each change once, in the order of the answers. */
  releases: string[];
}

export interface Probe {
  /** What it saw up to now. */
  readonly seen: Probed;
  /** @returns what it saw, once the last request is answered */
  stop(): Promise<Probed>;
}

/** @param url that answers `{ "release": … }` */
export function startProbe(url: string): Probe {
  const seen: Probed = { requests: 0, failures: [], releases: [] };
  const asking = new Set<Promise<void>>();
  const ask = async (): Promise<void> => {
    const at = new Date().toISOString();
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      const text = await response.text();
      const release = response.ok && (JSON.parse(text) as { release?: string }).release;
      if (!release) seen.failures.push(`${at} ${response.status} ${text}`);
      else if (seen.releases.at(-1) !== release) seen.releases.push(release);
    } catch (error) {
      seen.failures.push(`${at} ${String(error)}`);
    }
  };
  const timer = setInterval(() => {
    seen.requests += 1;
    const one = ask();
    asking.add(one);
    void one.finally(() => asking.delete(one));
  }, EVERY_MS);
  return {
    seen,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(asking);
      return seen;
    },
  };
}

/** Nobody who asked was ever left without an answer. */
export function unbroken(probed: Probed, releases: string[]): void {
  expect(probed.failures).toEqual([]);
  expect([...new Set(probed.releases)]).toEqual([...new Set(releases)]);
  expect(probed.releases.at(-1)).toBe(releases.at(-1));
  expect(probed.requests).toBeGreaterThan(50);
}
