/** What one attempt of a promotion's tests needs to know, before and after it: read afresh. */
import type { TestsConfig } from '../../domain/config/config.js';
import type { EnvironmentRead } from '../../domain/promotion/read.js';
import { refuse } from '../failure.js';
import type { ObserveDeps } from './observe.js';
import { STAGING } from './observe.js';
import { readEnvironment, reportedBy } from './environment.js';

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
  const target = { app, environment: STAGING };
  const [staging, others] = await Promise.all([
    deps.readLane(target).then((lane) => readEnvironment(deps, target, lane)),
    othersThan(deps, app),
  ]);
  return { tests, staging, others };
}

/** Their version endpoints only: neither AWS nor Temporal is asked about apps that are not tested. */
async function othersThan({ config }: ObserveDeps, app: string): Promise<Record<string, string>> {
  const all = Object.entries(config.apps).map(async ([name, { environments }]) => {
    const settings = name === app ? undefined : environments[STAGING];
    const { release } = settings ? await reportedBy(settings) : {};
    return release ? [[name, release] as const] : [];
  });
  return Object.fromEntries((await Promise.all(all)).flat());
}
