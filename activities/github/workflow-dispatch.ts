/** Starts the tests of an app: one run of its GitHub workflow, whose id is known afterwards. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Config } from '../../domain/config/config.js';
import type { DispatchTestsInput, TestRunRef } from '../../domain/promotion/effects.js';
import { fillInputs, isMarked, showsMarker } from '../../domain/promotion/test-inputs.js';
import { later, refuse } from '../failure.js';
import { GitHub, type GitHubDeps } from './ask.js';
import { SETTLE_MS } from './errors.js';

const READS = 'Actions: read';
const WRITES = 'Actions: write';
const PAGE = 100;
/** Newest first: what was dispatched a moment ago is among them. */
const PAGES = 3;
/** Clocks differ from GitHub's. */
const CLOCKS_MS = 60_000;
const BEAT_MS = 1_000;

/** GitHub makes runs some seconds after it has taken the dispatch. */
export const PACE = {
  lookForMs: 30_000,
  lookEveryMs: 3_000,
  /** After it Temporal has the heartbeat that says that something is about to be sent. */
  recordedMs: 1_500,
};

interface Work {
  github: GitHub;
  config: Config;
  input: DispatchTestsInput;
  inputs: Record<string, string>;
  carriesMarker: boolean;
  pace: typeof PACE;
  signal: AbortSignal;
}

/** In the heartbeat: at this time, ISO 8601, a dispatch was sent whose run is not known. */
interface Sent {
  sentAt: string;
}

export function createDispatchTests(deps: GitHubDeps, pace = PACE) {
  const github = new GitHub(deps);
  return {
    /**
     * Safe to repeat, with one marker: a run that shows it is taken. Where a dispatch may have been carried out and its
     * run cannot be told from others, nothing is sent again.
     * @throws ApplicationFailure `BAD_REQUEST` (inputs in `sluice.yaml`), `GITHUB_FAILED` (no such workflow, inputs that
     *   it does not declare, a run that cannot be told from others); retryable `GITHUB_DOWN`, `GITHUB_REFUSED`
     */
    dispatchTests: async (input: DispatchTestsInput): Promise<TestRunRef> => {
      const context = Context.current();
      const signal = context.cancellationSignal;
      let sent = sentOf(context.info.heartbeatDetails);
      const timer = setInterval(() => context.heartbeat(sent), BEAT_MS);
      try {
        const work = { github, config: deps.config, input, ...filledOf(deps.config, input), pace, signal };
        const found = sent ? await findSent(work, sent) : (await look(work)).ours;
        if (found) return found;
        sent = { sentAt: new Date().toISOString() };
        context.heartbeat(sent);
        await sleep(pace.recordedMs, undefined, { signal });
        return (await dispatch(work)) ?? (await requireSent(work, sent));
      } catch (error) {
        if (signal.aborted) await context.cancelled;
        throw error;
      } finally {
        clearInterval(timer);
      }
    },
  };
}

const sentOf = (details: unknown): Sent | undefined =>
  typeof details === 'object' && details !== null && 'sentAt' in details ? (details as Sent) : undefined;

function filledOf(config: Config, { app, release, marker, inputs }: DispatchTestsInput) {
  const stagingUrl = config.apps[app]?.environments['staging']?.url;
  const filled = fillInputs(inputs, {
    app,
    release,
    marker,
    ...(stagingUrl === undefined ? {} : { stagingUrl }),
  });
  if ('problem' in filled) throw refuse('BAD_REQUEST', filled.problem);
  return filled;
}

/** GitHub's answer with `return_run_details`. */
interface Dispatched {
  workflow_run_id: number;
  html_url: string;
}

const answerOf = (data: unknown): Partial<Dispatched> =>
  typeof data === 'object' && data !== null ? data : {};

/** @returns undefined where GitHub took it and did not say which run it is */
async function dispatch(work: Work): Promise<TestRunRef | undefined> {
  const { github, config, input, inputs } = work;
  const { workflow } = input;
  const { branch } = config.repository;
  try {
    const { workflow_run_id: id, html_url: url } = await github.ask(
      { what: `dispatching the workflow ${workflow} on ${branch}`, needs: WRITES, write: true },
      async (rest) => {
        const { data } = await rest.actions.createWorkflowDispatch({
          ...github.repo,
          workflow_id: workflow,
          ref: branch,
          inputs,
          return_run_details: true,
        });
        // Octokit's types have the answer of older servers only: 204, without content.
        return { data: answerOf(data) };
      },
    );
    return id === undefined || url === undefined ? undefined : { id, url };
  } catch (error) {
    throw explained(error, work);
  }
}

/** What GitHub refuses for good is a workflow that is not there, or not as configured. */
function explained(error: unknown, { config, input, inputs }: Work): unknown {
  if (!(error instanceof ApplicationFailure) || !error.nonRetryable) return error;
  const { branch } = config.repository;
  const names = Object.keys(inputs).join(', ');
  const declares = names === '' ? 'needs no inputs' : `declares the inputs ${names}`;
  return refuse(
    'GITHUB_FAILED',
    `${error.message}. Check that ${input.workflow} is on ${branch}, has the trigger workflow_dispatch, and ${declares}`,
  );
}

interface Looked {
  ours?: TestRunRef;
  /** When those were made that show no marker at all, epoch milliseconds: one of them may be ours. */
  others: number[];
}

/** The runs of the workflow since `since`; a workflow that is not there has none. */
async function look({ github, config, input }: Work): Promise<Looked> {
  const { workflow, marker, since } = input;
  const others: number[] = [];
  const created = `>=${new Date(Date.parse(since) - CLOCKS_MS).toISOString().slice(0, 19)}Z`;
  for (let page = 1; page <= PAGES; page += 1) {
    const listed = await github.find({ what: `listing the runs of ${workflow}`, needs: READS }, (rest) =>
      rest.actions.listWorkflowRuns({
        ...github.repo,
        workflow_id: workflow,
        event: 'workflow_dispatch',
        branch: config.repository.branch,
        created,
        per_page: PAGE,
        page,
      }),
    );
    const runs = listed?.workflow_runs ?? [];
    const ours = runs.find((run) => showsMarker(run.display_title, marker) || showsMarker(run.name, marker));
    if (ours) return { ours: { id: ours.id, url: ours.html_url }, others };
    const unmarked = runs.filter((run) => !isMarked(run.display_title) && !isMarked(run.name));
    others.push(...unmarked.map((run) => Date.parse(run.created_at)));
    if (runs.length < PAGE) break;
  }
  return { others };
}

/** @returns undefined where nothing that was dispatched since then has become a run. */
async function findSent(work: Work, { sentAt }: Sent): Promise<TestRunRef | undefined> {
  const { pace, signal } = work;
  const end = Date.now() + pace.lookForMs;
  for (;;) {
    const { ours, others } = await look(work);
    if (ours) return ours;
    const isLast = Date.now() >= end;
    const unknown = others.filter((at) => at >= Date.parse(sentAt) - CLOCKS_MS);
    // Never the newest run: that may be anybody's.
    if (unknown.length > 0 && (isLast || !work.carriesMarker)) throw notTold(work);
    if (isLast) return undefined;
    await sleep(pace.lookEveryMs, undefined, { signal });
  }
}

/** GitHub took the dispatch: there is a run, or will be. */
async function requireSent(work: Work, sent: Sent): Promise<TestRunRef> {
  if (!work.carriesMarker) throw notTold(work);
  const found = await findSent(work, sent);
  if (found) return found;
  const { workflow } = work.input;
  throw later(
    'GITHUB_FAILED',
    `GitHub took the dispatch of ${workflow}, and shows no run of it yet; it is looked for again`,
    SETTLE_MS,
  );
}

function notTold({ input, carriesMarker }: Work): Error {
  const { app, workflow } = input;
  const lacks = carriesMarker
    ? `show the input that has {marker} in the run-name of ${workflow}`
    : `give ${workflow} an input, set apps.${app}.tests.github.inputs.<input>: "{marker}", and show it in the workflow’s run-name`;
  return refuse(
    'GITHUB_FAILED',
    `Which run of ${workflow} was dispatched for ${app} cannot be told from others: ${lacks}`,
  );
}
