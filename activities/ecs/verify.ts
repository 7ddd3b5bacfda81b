/** Step `verify`: what runs is what was deployed, by its digests and by its own word (rule 3). */
import { setTimeout } from 'node:timers/promises';
import type { Task } from '@aws-sdk/client-ecs';
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { ResolvedImage, Verified, VerifyInput } from '../../domain/effects.js';
import { refuse } from '../failure.js';
import type { EcsDeps } from './deps.js';
import type { EcsService } from './service.js';
import { serviceOf, tasksOf } from './service.js';
import { askVersion } from './version.js';
import type { VersionAnswer } from './version.js';

const IN_A_ROW = 3;
const BETWEEN_MS = 100;
/** An old answer, or none: tasks behind a load balancer are still being exchanged. */
const AGAIN_MS = 1_000;
const MOST_SHOWN = 100;

/** `known: false`: it could not be read; said, never counted as verified. */
type Found = { known: boolean; detail: string; empty?: boolean };

interface Verifying {
  deps: EcsDeps;
  ecs: EcsService;
  input: VerifyInput;
  signal: AbortSignal;
}

export async function verify(deps: EcsDeps, input: VerifyInput): Promise<Verified> {
  const ecs = serviceOf(deps, input);
  const decided = new AbortController();
  const signal = AbortSignal.any([Context.current().cancellationSignal, decided.signal]);
  const of: Verifying = { deps, ecs, input, signal };
  const digests = verifyDigests(of);
  const both = Promise.all([digests, verifyRelease(of)]).then(([found, release]) => verified(found, release));
  // Where nothing is wanted, no answer of the endpoint has to be waited for.
  const nothing = digests.then(async (found) => (found.empty ? verified(found) : await both));
  try {
    return await Promise.race([both, nothing]);
  } finally {
    // Where one has decided, the other stops asking.
    decided.abort();
  }
}

const verified = (digests: Found, release?: Found): Verified =>
  digests.empty || !release
    ? { verified: false, detail: digests.detail }
    : { verified: digests.known && release.known, detail: `${digests.detail}; ${release.detail}` };

const isOver = (input: VerifyInput): boolean => Date.now() >= Date.parse(input.until);

async function pause(of: Verifying, ms: number): Promise<void> {
  await setTimeout(ms, undefined, { signal: of.signal });
}

async function verifyDigests(of: Verifying): Promise<Found> {
  for (;;) {
    const tasks = await tasksOrNothing(of);
    if (tasks?.length === 0 && (await isEmpty(of))) {
      return { known: false, empty: true, detail: 'Desired count is 0: nothing runs that could be asked' };
    }
    if (tasks === 'refused')
      return { known: false, detail: 'running digests unknown: ECS refuses to tell its tasks' };
    const compared = tasks && compare(tasks, of.input);
    if (compared && 'mismatch' in compared) {
      if (isOver(of.input)) throw refuse('DIGEST_MISMATCH', compared.mismatch);
    } else if (compared && (tasks.length > 0 || isOver(of.input))) {
      // Digests that a running task does not report will not be reported later.
      return compared;
    } else if (isOver(of.input)) {
      return { known: false, detail: 'running digests unknown: ECS does not answer' };
    }
    await pause(of, AGAIN_MS);
  }
}

async function isEmpty({ deps, ecs, signal }: Verifying): Promise<boolean> {
  const read = await deps.reader.read(ecs.key, { at: Date.now(), signal });
  return read.status === 'ACTIVE' && read.desired === 0;
}

/** Throttling and outages are waited out up to the limit; they fail nothing. */
async function tasksOrNothing({ deps, ecs, signal }: Verifying): Promise<Task[] | 'refused' | undefined> {
  try {
    const tasks = await tasksOf(ecs, 'RUNNING', async () => deps.limiter.turn('tasks', signal));
    return tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING');
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ApplicationFailure)) throw error;
    return error.nonRetryable ? 'refused' : undefined;
  }
}

function compare(tasks: Task[], input: VerifyInput): Found | { mismatch: string } {
  if (tasks.length === 0) return { known: false, detail: 'running digests unknown: no task runs' };
  const old = tasks.find(({ taskDefinitionArn }) => taskDefinitionArn !== input.revision);
  if (old)
    return {
      mismatch: `Tasks of ${old.taskDefinitionArn?.split('/').at(-1)} run beside those of this deployment`,
    };
  const wrong = tasks.flatMap((task) => input.images.flatMap((image) => mismatches(task, image)));
  if (wrong[0]) return { mismatch: wrong[0] };
  const containers = input.images.flatMap((image) => image.containers);
  const silent = containers.filter((name) => !tasks.every((task) => digestOf(task, name)));
  if (silent.length > 0)
    return { known: false, detail: `running digests unknown: unreported for ${silent.join(', ')}` };
  return { known: true, detail: `${tasks.length} tasks run the deployed digests` };
}

const digestOf = (task: Task, container: string): string | undefined =>
  task.containers?.find(({ name }) => name === container)?.imageDigest || undefined;

function mismatches(task: Task, image: ResolvedImage): string[] {
  return image.containers.flatMap((container) => {
    const digest = digestOf(task, container);
    if (!digest || digest === image.digest || image.listed.includes(digest)) return [];
    return [`Container ${container} runs ${digest}, not ${image.digest} of ${image.repository}:${image.tag}`];
  });
}

async function verifyRelease(of: Verifying): Promise<Found> {
  const { ecs, input, signal } = of;
  const { versionUrl } = ecs.settings;
  if (!versionUrl) return { known: false, detail: 'release unknown: no versionUrl is configured' };
  let matches = 0;
  let without = 0;
  for (;;) {
    const answer = await askVersion(versionUrl, signal);
    const matched = answer.kind === 'release' && answer.release === input.release;
    // One old answer starts the count anew.
    matches = matched ? matches + 1 : 0;
    without = answer.kind === 'unknown' ? without + 1 : 0;
    if (matches >= IN_A_ROW) return { known: true, detail: `the version endpoint reports ${input.release}` };
    if (answer.kind === 'unknown' && without >= IN_A_ROW) {
      return { known: false, detail: `release unknown: asked for its version, ${answer.words}` };
    }
    const counting = matched || answer.kind === 'unknown';
    // A count that is under way is finished: it takes less than a second.
    if (isOver(input) && !counting) throw disagrees(answer, input.release);
    await pause(of, counting ? BETWEEN_MS : AGAIN_MS);
  }
}

function disagrees(answer: VersionAnswer, expected: string): Error {
  if (answer.kind === 'release') {
    const reported = answer.release.slice(0, MOST_SHOWN);
    return refuse('RELEASE_MISMATCH', `The version endpoint reports ${reported}, not ${expected}`);
  }
  return refuse(
    'NO_ANSWER',
    `Asked for its version, ${answer.kind === 'none' ? answer.words : 'it tells none'}`,
  );
}
