import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMirror } from '../../activities/git/mirror.js';
import { createTestCommand } from '../../activities/tests/command.js';
import type { ServiceConfig } from '../../domain/config/config.js';
import type { TestCommandInput, TestsEnded } from '../../domain/promotion/effects.js';
import type { BuildProgress } from '../../domain/view.js';
import { failureOf } from '../support/failures.js';
import { activityEnvironment, configOf } from '../support/images.js';
import { createSource } from '../support/source.js';
import type { SourceRepository } from '../support/source.js';

const TOKEN = 'a-secret-of-the-worker';

let folder: string;
let source: SourceRepository;
let release: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-test-command-'));
  source = await createSource();
  release = await source.commit({ 'greeting.txt': 'hello' });
});
afterEach(async () => {
  await source.remove();
  await rm(folder, { recursive: true, force: true });
});

const serviceAt = (url?: string): Record<string, ServiceConfig> => ({
  staging: { service: 's', template: 't', family: 'f', ...(url === undefined ? {} : { url }) },
});

const start = (command: string[], given: Partial<TestCommandInput> = {}) => {
  const config = configOf([], { environments: serviceAt('https://shop.test') }, source.directory);
  const shop = config.apps['shop'];
  if (!shop) throw new Error('no app');
  config.apps = {
    shop,
    'ingestion-server_2': { ...shop, environments: serviceAt('https://ingestion.test') },
    bare: { ...shop, environments: serviceAt() },
    library: { ...shop, environments: {}, releaseOnly: true },
  };
  const env = { ...process.env, SLUICE_CACHE: join(folder, 'cache'), MY_TOKEN: TOKEN, OTHER: 'worker only' };
  const mirror = createMirror({ repository: config.repository, env, outage: 'wait' });
  const { runTestCommand } = createTestCommand({ config, mirror, env });
  const environment = activityEnvironment();
  const beats: BuildProgress[] = [];
  environment.on('heartbeat', (beat: BuildProgress) => beats.push(beat));
  const until = new Date(Date.now() + 60_000).toISOString();
  const input = { app: 'shop', release, command, until, ...given };
  const running: Promise<TestsEnded> = environment.run(runTestCommand, input);
  return { running, beats, environment };
};
const shell = (script: string, given: Partial<TestCommandInput> = {}) => start(['sh', '-c', script], given);
const result = async (script: string): Promise<TestsEnded> => await shell(script).running;

/** A script that tells its own id and its child’s, and stays. */
const staying = (more = ':'): string =>
  `${more}; sleep 300 & echo $$ $! > ${join(folder, 'pids')}; echo begun; wait`;
const pids = async (): Promise<number[]> =>
  (await readFile(join(folder, 'pids'), 'utf8')).trim().split(' ').map(Number);
/** One that nobody has collected yet is dead too. */
const isAlive = async (pid: number): Promise<boolean> => {
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return state !== '' && !/^\d+ \(.*\) [ZX]/s.test(state);
};
const requireDead = async (): Promise<void> => {
  for (const pid of await pids()) await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
};
const begun = async (): Promise<void> => {
  await expect.poll(() => existsSync(join(folder, 'pids')), { timeout: 20_000 }).toBe(true);
};

describe('runTestCommand', () => {
  it('runs in a checkout of the release, and sums up', async () => {
    await source.commit({ 'greeting.txt': 'later' });
    expect(await result('cat greeting.txt')).toEqual({ state: 'passed', detail: 'hello' });
    expect(await result('printf "  2 skipped\\n  12 passed (3.4s)\\n\\nbye\\n"')).toEqual({
      state: 'passed',
      detail: '2 skipped, 12 passed (3.4s)',
    });
    expect(await result('true')).toEqual({ state: 'passed', detail: 'it ended with 0' });
  });

  it('has failed where it ends otherwise, however much it said', async () => {
    const names = 'i=0; while [ $i -lt 500 ]; do echo "    [chromium] › a.spec.ts:$i"; i=$((i+1)); done';
    expect(await result(`echo "  500 failed"; ${names}; echo "  1 passed (2s)"; exit 1`)).toEqual({
      state: 'failed',
      detail: '500 failed, 1 passed (2s)',
    });
    expect(await result('echo no tests found >&2; exit 3')).toEqual({
      state: 'failed',
      detail: 'it ended with 3: no tests found',
    });
    expect(await result('exit 4')).toEqual({ state: 'failed', detail: 'it ended with 4' });
  });

  it('sees where staging is, and nothing of the worker', async () => {
    const file = join(folder, 'seen');
    await result(`env > ${file}; echo x > "$HOME/left"; echo x > "$TMPDIR/left"`);
    const seen = Object.fromEntries(
      (await readFile(file, 'utf8'))
        .split('\n')
        .map((line) => [line.split('=')[0], line.replace(/^[^=]*=/, '')]),
    ) as Record<string, string>;
    expect(seen).toMatchObject({
      SLUICE_APP: 'shop',
      SLUICE_RELEASE: release,
      SLUICE_URL_SHOP: 'https://shop.test',
      SLUICE_URL_INGESTION_SERVER_2: 'https://ingestion.test',
      CI: 'true',
      PATH: process.env['PATH'],
    });
    expect(Object.keys(seen).filter((name) => name.startsWith('SLUICE_'))).toHaveLength(4);
    expect(JSON.stringify(seen)).not.toMatch(/a-secret|worker only/);
    expect(seen['HOME']).not.toBe(process.env['HOME']);
    expect(existsSync(seen['HOME'] ?? '')).toBe(false);
    expect((await readdir(tmpdir())).filter((name) => name === seen['HOME']?.split('/').at(-1))).toEqual([]);
  });

  it('shows its last lines while it runs, without secrets, and none in what it comes to', async () => {
    const { running, beats } = shell(
      `echo "token ${TOKEN} ghp_abcdefghijklmnopqrst"; sleep 3; echo ${TOKEN}; exit 1`,
    );
    await expect.poll(() => beats.at(-1)?.lines, { timeout: 20_000 }).toEqual(['token *** ***']);
    expect(beats.at(-1)?.phase).toBe('tests');
    expect(await running).toEqual({ state: 'failed', detail: 'it ended with 1: ***' });
    expect(JSON.stringify(beats)).not.toContain(TOKEN);
  });

  it.each([
    [['no-such-program'], 'no-such-program is neither installed on the build worker nor in the checkout'],
    [['./greeting.txt'], './greeting.txt could not be started: is it executable?'],
    [['sh', '-c', 'echo on my way; kill -9 $$'], 'it was killed by a signal; on my way'],
  ])('tells nothing where it did not run to its end: %j', async (command, detail) => {
    expect(await start(command).running).toEqual({ state: 'inconclusive', detail });
  });

  it.each([
    ['ends at once', ':'],
    ['says that all is well', 'trap "exit 0" TERM'],
  ])('is ended with all its processes at its limit: one that %s', async (_, more) => {
    // The source may take its time on a busy machine.
    const until = new Date(Date.now() + 6_000).toISOString();
    const { running } = shell(staying(more), { until });
    expect(await running).toEqual({ state: 'inconclusive', detail: 'it was ended at its time limit; begun' });
    await requireDead();
  });

  it('is ended with all its processes when it is cancelled', async () => {
    const { running, environment } = shell(staying());
    await begun();
    environment.cancel();
    await expect(running).rejects.toThrow(CancelledFailure);
    await requireDead();
  });

  it('does not begin after its limit', async () => {
    const { running } = shell(staying(), { until: new Date(Date.now() - 1).toISOString() });
    expect(await running).toMatchObject({ state: 'inconclusive' });
    expect(existsSync(join(folder, 'pids'))).toBe(false);
  });

  it('refuses a release that is not on the branch, and waits for a source that does not answer', async () => {
    const elsewhere = await failureOf(shell('true', { release: 'b'.repeat(40) }).running);
    expect(elsewhere).toMatchObject({ type: 'NOT_ON_BRANCH', nonRetryable: true });
    await rename(source.directory, `${source.directory}.away`);
    expect(await failureOf(shell('true').running)).toMatchObject({
      type: 'GITHUB_DOWN',
      nonRetryable: false,
    });
    await rename(`${source.directory}.away`, source.directory);
  });
});
