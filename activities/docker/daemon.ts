/** What the Docker of this worker can do. */
import { later } from '../failure.js';
import { run } from '../run.js';
import { plainEnvironment } from './environment.js';

const TIMEOUT_MS = 20_000;

/**
 * Whether this worker can build.
 * @returns one line for people that says what to do; undefined where Docker answers
 */
export async function dockerProblem(
  environment: Record<string, string> = plainEnvironment(process.env),
  signal?: AbortSignal,
): Promise<string | undefined> {
  const ran = await run({
    command: 'docker',
    args: ['version', '--format', '{{.Server.Version}}'],
    env: environment,
    timeoutMs: TIMEOUT_MS,
    ...(signal ? { signal } : {}),
  });
  if (ran.code === 0 || ran.ended === 'cancelled') return undefined;
  if (ran.ended === 'not-found')
    return 'Docker is not installed on this build worker: install the docker command';
  const host = environment['DOCKER_HOST'];
  return `The Docker daemon does not answer on this build worker${host ? ` (DOCKER_HOST ${host})` : ''}: start it, or set DOCKER_HOST`;
}

/** @throws ApplicationFailure `NO_BUILD_WORKER`, retryable: another build worker may have a Docker that answers */
export async function requireDocker(environment: Record<string, string>, signal: AbortSignal): Promise<void> {
  const problem = await dockerProblem(environment, signal);
  signal.throwIfAborted();
  if (problem) throw later('NO_BUILD_WORKER', problem, 10_000);
}

/** BuildKit comes with buildx; without it there is the classic builder. */
export async function hasBuildKit(
  environment: Record<string, string>,
  signal: AbortSignal,
): Promise<boolean> {
  const ran = await run({
    command: 'docker',
    args: ['buildx', 'version'],
    env: environment,
    timeoutMs: TIMEOUT_MS,
    signal,
  });
  signal.throwIfAborted();
  return ran.code === 0;
}
