/** What one attempt of a promotion's tests needs to know, before and after it: read afresh. */
import type { TestsConfig } from '../../domain/config.js';
import type { EnvironmentRead } from '../../domain/promotion-read.js';
import { refuse } from '../failure.js';
import type { ObserveDeps } from './observe.js';
import { STAGING } from './observe.js';
import { readEnvironment } from './environment.js';

export interface StagingForTests {
  tests: TestsConfig;
  staging: EnvironmentRead;
  /** App → release that its staging reports now, of every other app that reports one. */
  others: Record<string, string>;
}

/** @throws ApplicationFailure `NOT_FOUND` where no tests are configured */
export async function readForTests(deps: ObserveDeps, { app }: { app: string }): Promise<StagingForTests> {
  const tests = deps.config.apps[app]?.tests;
  if (!tests) throw refuse('NOT_FOUND', `sluice.yaml has no tests of ${app} any more`);
  const others = Object.entries(deps.config.apps)
    .filter(([name, { environments }]) => name !== app && environments[STAGING]?.versionUrl)
    .map(([name]) => name);
  const read = async (name: string): Promise<EnvironmentRead> => {
    const target = { app: name, environment: STAGING };
    return readEnvironment(deps, target, await deps.readLane(target));
  };
  const [staging, ...rest] = await Promise.all([read(app), ...others.map((name) => read(name))]);
  const reported = others.flatMap((name, at) => {
    const release = rest[at]?.release;
    return release ? [[name, release] as const] : [];
  });
  return { tests, staging, others: Object.fromEntries(reported) };
}
