/** Tests staging with a command of the repository, on a build worker. */
import { Context } from '@temporalio/activity';
import type { Config } from '../../domain/config/config.js';
import { oneLine } from '../../domain/one-line.js';
import type { TestCommandInput, TestsEnded } from '../../domain/promotion/effects.js';
import { scrubber } from '../../domain/scrub.js';
import { isCount, sumUp } from '../../domain/promotion/test-report.js';
import { Progress } from '../docker/progress.js';
import { refuse } from '../failure.js';
import type { Mirror } from '../git/mirror.js';
import { run, type Ran } from '../run.js';
import { withTestEnvironment, workerSecrets } from './environment.js';

/** Node's timers end there. */
const LONGEST_MS = 2 ** 31 - 1;
/** Counts that are kept of an output of any length. */
const MOST_COUNTS = 100;

export interface TestCommandDeps {
  config: Config;
  /** One that waits for its source. */
  mirror: Mirror;
  env?: NodeJS.ProcessEnv;
}

export interface TestCommandActivities {
  /**
   * Runs the command in a checkout of the release. Exit 0 is passed, another one failed; a command that does not start,
   * is killed or goes on past `until` is inconclusive. Safe to repeat: it is run anew. Heartbeats `BuildProgress`;
   * cancelled, it ends its processes before it returns.
   * @throws ApplicationFailure `NOT_ON_BRANCH`, `CLONE_FAILED`; retryable `GITHUB_DOWN`, `CLONE_FAILED`
   */
  runTestCommand(input: TestCommandInput): Promise<TestsEnded>;
}

export function createTestCommand({
  config,
  mirror,
  env = process.env,
}: TestCommandDeps): TestCommandActivities {
  const deps = { config, mirror, env };
  return {
    runTestCommand: async (input) => {
      const cancelled = Context.current().cancellationSignal;
      const left = Math.min(Date.parse(input.until) - Date.now(), LONGEST_MS);
      if (left <= 0) return inconclusive('its time was over before a worker could start it');
      const limit = AbortSignal.timeout(left);
      const signal = AbortSignal.any([cancelled, limit]);
      try {
        return await runTests(deps, input, { signal, limit });
      } catch (error) {
        cancelled.throwIfAborted();
        if (limit.aborted) return inconclusive('its time was over before the source was there');
        throw error;
      }
    },
  };
}

interface Ends {
  signal: AbortSignal;
  limit: AbortSignal;
}

async function runTests(
  { config, mirror, env }: Required<TestCommandDeps>,
  { app, release, command }: TestCommandInput,
  { signal, limit }: Ends,
): Promise<TestsEnded> {
  const progress = new Progress(scrubber(workerSecrets(env)));
  const [program = '', ...args] = command;
  return await progress.during(async () => {
    if (!(await mirror.isOnBranch(release, signal))) {
      throw refuse('NOT_ON_BRANCH', `${release} is not a commit on the branch: it cannot be checked out`);
    }
    return await mirror.withCheckout({ commit: release, signal }, async (cwd) =>
      withTestEnvironment({ env, config, app, release }, async (environment) => {
        progress.enter('tests');
        const report = new Report(progress);
        const ran = await run({ command: program, args, env: environment, cwd, signal, onLine: report.add });
        // Whoever was asked to end may have said how: only who asked counts.
        if (limit.aborted)
          return inconclusive(`it was ended at its time limit; ${report.text || 'it said nothing'}`);
        signal.throwIfAborted();
        return endedOf(ran, { program, text: report.text });
      }),
    );
  });
}

/** Scrubbed by `Progress`. */
class Report {
  private readonly output: ReturnType<Progress['output']>;
  private readonly counts: string[] = [];

  constructor(progress: Progress) {
    this.output = progress.output();
  }

  readonly add = (line: string): void => {
    this.output.add(line);
    const counts = isCount(line) ? this.counts.push(line) : 0;
    if (counts > MOST_COUNTS) this.counts.shift();
  };

  get text(): string {
    return sumUp([...this.counts, ...this.output.lines]);
  }
}

function endedOf(ran: Ran, { program, text }: { program: string; text: string }): TestsEnded {
  if (ran.ended === 'not-found') {
    return inconclusive(`${program} is neither installed on the build worker nor in the checkout`);
  }
  if (ran.ended === 'not-started') return inconclusive(`${program} could not be started: is it executable?`);
  if (ran.ended) return inconclusive(`it was killed by a signal; ${text || 'it said nothing'}`);
  if (ran.code === 0) return { state: 'passed', detail: text || 'it ended with 0' };
  const told = /\b(failed|interrupted)\b/.test(text) ? text : `it ended with ${ran.code}: ${text}`;
  return { state: 'failed', detail: oneLine(text ? told : `it ended with ${ran.code}`) };
}

const inconclusive = (detail: string): TestsEnded => ({ state: 'inconclusive', detail: oneLine(detail) });
