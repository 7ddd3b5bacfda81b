/**
 * Workflow `tests/{promotion}/{attempt}`: one attempt of a promotion's tests against staging. Staging is read before
 * and after: tests of something else than what is promoted tell nothing.
 *
 * What it keeps:
 * 1. It always reports to its queue before it closes, unless it is cancelled: then nobody waits for it.
 * 2. The run is dispatched once: another attempt of the activity finds it by the marker.
 * 3. A webhook only wakes a short read; the watch beside it is what is relied on.
 */
import {
  CancellationScope,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import { promotionWorkflowId } from '../domain/ids.js';
import type { TestsReport } from '../domain/messages.js';
import { SIGNAL } from '../domain/messages.js';
import type { TestRunRef, TestsEnded } from '../domain/promotion/effects.js';
import { stillIs } from '../domain/promotion/read.js';
import type { Evidence } from '../domain/promotion/read.js';
import { testsMarker } from '../domain/promotion/test-inputs.js';
import { endedOf } from '../domain/promotion/test-runs.js';
import type { StagingForTests } from '../activities/promotion/index.js';
import { bestEffort, dispatches, reads, tells, testCommands, testWatches } from './effects.js';
import { codedFailure, wordsOf } from './failure.js';

export interface TestsInput {
  app: string;
  promotion: string;
  attempt: number;
  /** What staging runs, and has to run until they end. */
  evidence: Evidence;
  /** ISO 8601: at the latest they are inconclusive then. */
  until: string;
}

export async function tests(input: TestsInput): Promise<TestsReport> {
  const { app, promotion, attempt } = input;
  const news = new News();
  setCurrentDetails(`tests of \`${promotion}\`, attempt ${attempt}`);
  const report: TestsReport = { promotion, attempt, ...(await attempted(input, news)) };
  setCurrentDetails(`**${report.state}**: ${report.detail}`);
  await tells.reportTests({ app, report });
  return report;
}

/** Webhooks about runs, of which one may be ours. */
class News {
  private readonly ids = new Set<number>();

  constructor() {
    setHandler(defineSignal<[{ id: number }]>(SIGNAL.runChanged), ({ id }) => void this.ids.add(id));
  }

  has(id: number): boolean {
    return this.ids.has(id);
  }

  take(id: number): void {
    this.ids.delete(id);
  }
}

async function attempted(input: TestsInput, news: News): Promise<Omit<TestsReport, 'promotion' | 'attempt'>> {
  const { app, evidence } = input;
  try {
    const before = await reads.readForTests({ app });
    const { others } = before;
    const other = moved(before, evidence, 'before its tests began');
    if (other) return { ...other, others };
    const ended = await run(input, before, news);
    const after = moved(await reads.readForTests({ app }), evidence, 'while its tests ran');
    const { url } = ended;
    return { ...(after ?? ended), ...(url ? { url } : {}), others };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { message } = codedFailure(error);
    return { state: 'inconclusive', detail: message };
  }
}

function moved({ staging }: StagingForTests, evidence: Evidence, when: string): TestsEnded | undefined {
  if (staging.unreadable) return { state: 'inconclusive', detail: `${staging.unreadable.message} (${when})` };
  const still = stillIs(staging, evidence);
  if (still === 'equal') return undefined;
  const what = still === 'different' ? `Staging moved ${when}` : `What staging runs was not known ${when}`;
  return { state: 'inconclusive', detail: what };
}

async function run(input: TestsInput, { tests: settings }: StagingForTests, news: News): Promise<TestsEnded> {
  const { app, evidence, until } = input;
  const { release } = evidence;
  if (settings.kind === 'command') {
    return testCommands(Date.parse(until) - Date.now()).runTestCommand({
      app,
      release,
      command: settings.command,
      until,
    });
  }
  if (settings.kind === 'report')
    return { state: 'inconclusive', detail: 'a report is waited for since sluice.yaml changed' };
  const { promotion, attempt } = input;
  const since = new Date().toISOString();
  const { workflow, inputs } = settings;
  const marker = testsMarker(promotion, attempt);
  const ref = await dispatches.dispatchTests({ app, release, workflow, inputs, marker, since });
  await tellAddress(input, ref);
  return follow(input, ref, news);
}

async function tellAddress({ app, promotion, attempt }: TestsInput, { url }: TestRunRef): Promise<void> {
  try {
    const queue = getExternalWorkflowHandle(promotionWorkflowId(app));
    await queue.signal(SIGNAL.testsStarted, { promotion, attempt, url });
  } catch (error) {
    log.warn('The queue is not there to be told where its tests run', { error: wordsOf(error) });
  }
}

/**
 * The watch, and beside it a short read whenever a webhook says that there is news. Whichever knows the verdict first
 * ends both: the read is never waited for, and takes back nothing.
 */
async function follow({ app, until }: TestsInput, ref: TestRunRef, news: News): Promise<TestsEnded> {
  const following = new CancellationScope();
  let ended: TestsEnded | undefined;
  let failed: unknown;
  let isReading = false;
  following
    .run(() => testWatches(Date.parse(until) - Date.now()).followTests({ app, run: ref, until }))
    .then(
      (end) => void (ended ??= end),
      (error: unknown) => void (failed = error),
    );
  const look = async (): Promise<void> => {
    isReading = true;
    news.take(ref.id);
    try {
      ended ??= endedOf(await following.run(() => bestEffort.readTestRun({ run: ref })));
    } catch (error) {
      if (!isCancellation(error))
        log.warn('A run could not be read; its watch goes on', { error: wordsOf(error) });
    }
    isReading = false;
  };
  const isOver = (): boolean => ended !== undefined || failed !== undefined;
  while (!isOver()) {
    await condition(() => isOver() || (!isReading && news.has(ref.id)));
    if (!isOver()) void look();
  }
  following.cancel();
  if (ended) return ended;
  throw failed instanceof Error ? failed : new Error('the watch of the tests failed');
}
