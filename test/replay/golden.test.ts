/** Workflow code stays replayable: what ran once must run the same way with today's code. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { workflowBundle } from '../../worker/bundle.js';

const DIRECTORY = fileURLToPath(new URL('../golden/histories/', import.meta.url));
const EXPECTED = [
  'build-succeeded',
  'delivery-push',
  'deployment-of-a-merge',
  'deployment-of-a-promotion',
  'deployment-of-a-rollback',
  'deployment-rolled-back',
  'deployment-stopped',
  'deployment-succeeded',
  'deployment-that-gave-its-turn-back',
  'deployment-worker-killed',
  'drift-notice',
  'lane',
  'lane-continued-as-new',
  'lane-that-continues-as-new',
  'notice',
  'notice-channels',
  'plan',
  'promotion-continued-as-new',
  'promotion-failed-tests',
  'promotion-locked-after-rollback',
  'promotion-notice',
  'promotion-promoted',
  'promotion-rejected',
  'promotion-superseded',
  'promotion-that-continues-as-new',
  'reconcile',
  'release-abandoned',
  'release-blocked-then-retried',
  'release-done',
  'releases',
  'rollback',
  'rollback-that-locks-promotions',
  'tests-passed',
];

interface Recorded {
  workflowId: string;
  history: { events: { eventType: string; attributes?: unknown }[] };
}

const names = readdirSync(DIRECTORY).map((file) => file.replace(/\.json$/, ''));
const read = (name: string): Recorded =>
  JSON.parse(readFileSync(`${DIRECTORY}${name}.json`, 'utf8')) as Recorded;

async function replay({ workflowId, history }: Recorded): Promise<Error | undefined> {
  const one = [{ workflowId, history: historyFromJSON(history) }];
  let error: Error | undefined;
  let replayed = 0;
  for await (const result of Worker.runReplayHistories({ workflowBundle: await workflowBundle() }, one)) {
    replayed += 1;
    error = result.error;
  }
  expect(replayed).toBe(1);
  return error;
}

describe('golden histories', () => {
  it('are all there', () => expect(names.sort()).toEqual(EXPECTED));

  it.each(EXPECTED)('%s replays', async (name) => expect(await replay(read(name))).toBeUndefined());

  it('would show a change: one with two steps swapped does not replay', async () => {
    const recorded = read('deployment-succeeded');
    const swapped = JSON.stringify(recorded.history)
      .replaceAll('"validate"', '"@"')
      .replaceAll('"look"', '"validate"')
      .replaceAll('"@"', '"look"');
    const error = await replay({ ...recorded, history: JSON.parse(swapped) as Recorded['history'] });
    expect(error?.message).toMatch(/TMPRL1100|[Nn]ondeterminism/);
  });

  it('cover a worker that was killed', () => {
    expect(JSON.stringify(read('deployment-worker-killed').history)).toMatch(/"attempt":\s*[2-9]/);
  });
});
