/** The whole of Sluice on this machine: its real processes in a world that needs no account. */
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dockerProblem } from '../activities/docker/daemon.js';
import type { AwsStandIn, Timings } from './aws/index.js';
import { freePort } from './ports.js';
import type { RunningProcess } from './processes.js';
import { startProcess } from './processes.js';
import { startStandIn } from './stand-in.js';
import { SECRETS, WEBHOOK_EVENTS } from './settings.js';
import type { DevServer } from './temporal/dev-server.js';
import type { AwsPart, StartAws, World } from './world.js';
import { environmentOf, startWorld } from './world.js';

export interface BasicOptions {
  /** Of the API; 0 or absent: a free one. */
  port?: number;
  uiPort?: number;
  /** Told of each part as it comes up. */
  say?: (line: string) => void;
  /** Changes the text of `sluice.yaml`. */
  configure?: (config: string) => string;
  /** False: nothing is built or run by Docker, also where there is a daemon. */
  docker?: boolean;
  /** Another Temporal than the dev server. */
  startTemporal?: () => Promise<DevServer>;
}

export interface StackOptions extends BasicOptions {
  /** Speeds of the stand-in's rollouts. */
  timings?: Partial<Timings>;
}

const PROCESSES = {
  worker: { file: 'worker/main.ts', args: [], ready: /takes workflows/ },
  'build-worker': { file: 'worker/main.ts', args: ['--builds'], ready: /takes builds/ },
  api: { file: 'api/main.ts', args: [], ready: /listening/i },
} as const;

export type ProcessName = keyof typeof PROCESSES;

export interface StackOn<Aws extends AwsPart> extends World<Aws> {
  apiUrl: string;
  uiUrl?: string;
  /** Logs, configuration, the sample repository. */
  directory: string;
  /** What Sluice's processes run with. */
  env: NodeJS.ProcessEnv;
  /** Whether Docker builds, or its stand-in. */
  usesDocker: boolean;
  /** The first of each kind. */
  processes: Record<ProcessName, RunningProcess>;
  /** Starts one more process of a kind; `close` ends it too. */
  start(name: ProcessName, env?: NodeJS.ProcessEnv): Promise<RunningProcess>;
}

export type Stack = StackOn<AwsStandIn>;

/** With our stand-in for AWS; its containers are real ones where Docker and a busybox are there. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { timings = {} } = options;
  const usesDocker = await canUseDocker(options);
  return startStackOn(options, (input) => startStandIn({ ...input, timings, docker: usesDocker }));
}

const canUseDocker = async ({ docker = true }: BasicOptions): Promise<boolean> =>
  docker && (await dockerProblem()) === undefined;

export async function startStackOn<Aws extends AwsPart>(
  options: BasicOptions,
  startAws: StartAws<Aws>,
): Promise<StackOn<Aws>> {
  const { port = 0, uiPort = 0, say = () => undefined, configure = (text) => text } = options;
  const directory = await mkdtemp(join(tmpdir(), 'sluice-sandbox-'));
  const logs = join(directory, 'logs');
  await mkdir(logs);
  const world = await startWorld({
    ...{ directory, uiPort, startAws },
    ...(options.startTemporal ? { startTemporal: options.startTemporal } : {}),
  });
  const { temporal, aws, github } = world;
  say(`Temporal ${temporal.address}${temporal.uiUrl ? `, its UI ${temporal.uiUrl}` : ''}`);
  say(`AWS played at ${aws.url}, GitHub at ${github.url}`);

  const running: Promise<RunningProcess>[] = [];
  const close = async (): Promise<void> => {
    // Also one that is only just coming up.
    await Promise.allSettled(running.map(async (one) => (await one).stop()));
    await world.close();
  };
  try {
    const usesDocker = await canUseDocker(options);
    say(saying({ usesDocker, hasBusybox: world.sample.hasBusybox }));
    const apiPort = await freePort(port);
    const apiUrl = `http://127.0.0.1:${apiPort}`;
    const env = await environmentOf(world, { directory, usesDocker, apiUrl, configure });
    const start: StackOn<Aws>['start'] = async (name, more) => {
      const { file, args, ready } = PROCESSES[name];
      const logFile = join(logs, `${name}.log`);
      const one = startProcess({ file, args: [...args], env: { ...env, ...more }, logFile, ready });
      running.push(one);
      return one;
    };
    const [worker, buildWorker, api] = await Promise.all([
      start('worker'),
      start('build-worker'),
      start('api', { HOST: '127.0.0.1', PORT: String(apiPort) }),
    ]);
    // Only now: somebody is there to answer the ping.
    github.webhooks.set({
      url: `${apiUrl}/webhooks/github`,
      secret: SECRETS.webhook,
      events: WEBHOOK_EVENTS,
    });
    say(`Sluice API ${apiUrl}`);
    const processes = { worker, 'build-worker': buildWorker, api };
    const uiUrl = temporal.uiUrl ? { uiUrl: temporal.uiUrl } : {};
    return { ...world, ...uiUrl, apiUrl, directory, env, usesDocker, processes, start, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function saying({ usesDocker, hasBusybox }: { usesDocker: boolean; hasBusybox: boolean }): string {
  if (!usesDocker)
    return 'without Docker: a small builder of its own builds and pushes, containers are played';
  if (!hasBusybox) return 'Docker builds and pushes; containers are played: /bin/busybox is not there';
  return 'Docker builds, pushes and runs the containers';
}
