/** The two that the contract is held against: our stand-in, and ministack with real containers. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import { ECSClient } from '@aws-sdk/client-ecs';
import { startAwsStandIn } from '../../sandbox/aws/index.js';
import { startMinistack } from '../../sandbox/ministack.js';

const run = promisify(execFile);

export interface ContractImage {
  repository: string;
  tag: string;
  /** Label `org.opencontainers.image.revision`, and what `/version.json` answers. */
  release: string;
  /** Its container ends at once, with this code. */
  exit?: number;
}

export interface Emulator {
  name: 'stand-in' | 'ministack';
  ecs: ECSClient;
  ecr: ECRClient;
  registry: string;
  /** Builds and pushes; gives the digest that the registry answered. */
  image(input: ContractImage): Promise<string>;
  close(): Promise<void>;
}

/** One attempt, as ours are: a fault is not to be hidden by the client. */
export const clientSettings = (
  url: string,
): {
  region: string;
  endpoint: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  maxAttempts: number;
} => ({
  region: 'us-east-1',
  endpoint: url,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  maxAttempts: 1,
});

function clients(url: string): { ecs: ECSClient; ecr: ECRClient } {
  const settings = clientSettings(url);
  return { ecs: new ECSClient(settings), ecr: new ECRClient(settings) };
}

const REVISION = 'org.opencontainers.image.revision';

export async function standIn(): Promise<Emulator> {
  const aws = await startAwsStandIn({
    timings: { tick: 10, pull: 60, start: 120, exit: 40, drain: 150, retry: 30, settle: 40 },
  });
  const { ecs, ecr } = clients(aws.url);
  return {
    name: 'stand-in',
    ecs,
    ecr,
    registry: aws.registry,
    image: ({ exit, ...input }) => {
      const labels = exit === undefined ? undefined : { 'sandbox.exit': String(exit) };
      return Promise.resolve(aws.image({ ...input, docker: true, labels }).digest);
    },
    close: async () => {
      ecs.destroy();
      ecr.destroy();
      await aws.close();
    },
  };
}

export async function ministack(): Promise<Emulator> {
  const server = await startMinistack();
  const { ecs, ecr } = clients(server.url);
  const made: string[] = [];
  return {
    name: 'ministack',
    ecs,
    ecr,
    registry: server.registry,
    image: async (input) => {
      const reference = `${server.registry}/${input.repository}:${input.tag}`;
      await ecr.send(new CreateRepositoryCommand({ repositoryName: input.repository })).catch(ifThere);
      made.push(reference);
      return buildAndPush(reference, input);
    },
    close: async () => {
      ecs.destroy();
      ecr.destroy();
      await server.close();
      if (made.length > 0)
        await run('docker', ['rmi', '-f', ...made], { timeout: 60_000 }).catch(() => undefined);
    },
  };
}

function ifThere(error: unknown): void {
  if (!(error instanceof Error) || error.name !== 'RepositoryAlreadyExistsException') throw error;
}

/** Gives the digest that the registry answered. */
export async function buildAndPush(reference: string, input: ContractImage): Promise<string> {
  await build(reference, input);
  const { stdout } = await run('docker', ['push', reference], { timeout: 60_000 });
  const digest = /digest: (sha256:[0-9a-f]{64})/.exec(stdout)?.[1];
  if (!digest) throw new Error(`docker push named no digest: ${stdout}`);
  return digest;
}

/** From scratch with busybox: no base image has to be there. */
async function build(reference: string, { release, exit }: ContractImage): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-contract-'));
  const command =
    exit === undefined ? ['httpd', '-f', '-p', '8080', '-h', '/www'] : ['sh', '-c', `exit ${exit}`];
  try {
    await cp('/bin/busybox', join(folder, 'busybox'));
    await writeFile(join(folder, 'version.json'), JSON.stringify({ release }));
    const lines = [
      'FROM scratch',
      'COPY busybox /bin/busybox',
      'COPY version.json /www/version.json',
      `ENV RELEASE=${release}`,
      `LABEL ${REVISION}=${release}`,
      `CMD ${JSON.stringify(['/bin/busybox', ...command])}`,
    ];
    await writeFile(join(folder, 'Dockerfile'), lines.join('\n'));
    const env = { ...process.env, DOCKER_BUILDKIT: '0' };
    await run('docker', ['build', '-q', '-t', reference, folder], { timeout: 60_000, env });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
