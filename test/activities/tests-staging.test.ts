/** What one attempt of the tests reads of staging: its own app whole, of others only what they report. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readForTests } from '../../activities/promotion/tests.js';
import type { ObserveDeps } from '../../activities/promotion/observe.js';
import type { AppConfig, Config } from '../../domain/config/config.js';
import { run, startEcsWorld } from '../support/ecs.js';
import type { EcsWorld } from '../support/ecs.js';

let world: EcsWorld;
beforeEach(async () => {
  world = await startEcsWorld();
  await world.settle();
});
afterEach(() => world.close());

it('asks neither AWS nor Temporal about the other apps, however many there are', async () => {
  const api = world.config.apps['api']!;
  const staging = api.environments['staging']!;
  const { versionUrl: reporting = '', ...nowhere } = { ...staging, service: 'not-there' };
  const other = (versionUrl?: string): AppConfig => ({
    ...api,
    environments: { staging: { ...nowhere, ...(versionUrl ? { versionUrl } : {}) } },
  });
  const apps: Config['apps'] = {
    api: {
      ...api,
      tests: { kind: 'report', attempts: 2, timeoutMs: 60_000 },
    },
    frontend: other(reporting),
    away: other('http://127.0.0.1:9/version.json'),
    mute: other(),
  };
  const lanes: string[] = [];
  const deps = {
    config: { ...world.config, apps },
    aws: { ecs: () => world.client },
    readLane: async ({ app }: { app: string }) => void lanes.push(app),
  } as unknown as ObserveDeps;
  const { staging: own, others } = await run(async () => readForTests(deps, { app: 'api' }), undefined);
  expect(own).toMatchObject({ release: 'v1', primary: expect.any(String) as string });
  expect(others).toEqual({ frontend: 'v1' });
  expect(lanes).toEqual(['api']);
  expect(world.aws.calls({ operation: 'ecs:DescribeServices' })).toHaveLength(1);
});
