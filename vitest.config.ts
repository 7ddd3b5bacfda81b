import { defineConfig } from 'vitest/config';

/** Pure: no process, no server, no socket. Whatever is neither here nor in the suites below is integration. */
const UNIT = [
  'test/domain/**/*.test.ts',
  'test/cli/**/*.test.ts',
  'test/clients/**/*.test.ts',
  'test/dashboard/**/*.test.ts',
];
/** Needs a Docker daemon: `npm run test:docker`. */
const DOCKER = ['test/docker/**/*.test.ts'];
/** Needs Chromium: `npm run test:browser`. */
const BROWSER = ['test/browser/**/*.test.ts'];
/** Needs Postgres and a Temporal server: `.ci/cluster.sh` installs and builds them. */
const CLUSTER = ['test/cluster/**/*.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    // Each integration file brings workers of its own; more than two at once starve each other's heartbeats.
    maxWorkers: 2,
    teardownTimeout: 20_000,
    projects: [
      { extends: true, test: { name: 'unit', include: UNIT, testTimeout: 20_000 } },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/**/*.test.ts'],
          exclude: [...UNIT, ...DOCKER, ...BROWSER, ...CLUSTER],
          globalSetup: 'test/support/temporal-server.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: BROWSER,
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'docker',
          include: DOCKER,
          globalSetup: 'test/support/temporal-server.ts',
          // Real containers take real time, and two suites would fight over ports and the daemon.
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'cluster',
          include: CLUSTER,
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
