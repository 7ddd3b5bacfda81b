/** The build activity with a real Docker daemon; the registry is the stand-in's, which a real `docker push` takes. */
import { execFile } from 'node:child_process';
import { cpSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CancelledFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBuildActivities } from '../../activities/docker/index.js';
import type { BuiltSet } from '../../activities/docker/index.js';
import type { ImageConfig } from '../../domain/config/config.js';
import { startAwsStandIn } from '../../sandbox/aws/index.js';
import type { AwsStandIn } from '../../sandbox/aws/index.js';
import { failureOf } from '../support/failures.js';
import { activityEnvironment, configOf, ecrAt, image } from '../support/images.js';
import { createSource } from '../support/source.js';
import type { SourceRepository } from '../support/source.js';

const BUSYBOX = process.env['SLUICE_TEST_BUSYBOX'] ?? '/bin/busybox';
/** No RUN: not every daemon has a network for it. */
const DOCKERFILE = `FROM scratch AS base
COPY busybox /bin/busybox
ARG SEMANTIC_VERSION
ENV SEMANTIC_VERSION=$SEMANTIC_VERSION
CMD ["/bin/busybox", "sh", "-c", "echo $SEMANTIC_VERSION"]
`;

/** Not synchronous: the registry that Docker talks to is in this process. */
const docker = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('docker', args)).stdout.trim();

let aws: AwsStandIn;
let source: SourceRepository;
let folder: string;

beforeAll(async () => {
  aws = await startAwsStandIn();
  for (const repository of ['shop-web', 'shop-nginx']) aws.image({ repository });
});
afterAll(async () => {
  await aws.close();
  const made = await docker(
    'images',
    '--quiet',
    '--filter',
    'label=org.opencontainers.image.source=https://github.com/acme/shop',
  );
  if (made !== '') await docker('rmi', '--force', ...new Set(made.split('\n')));
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-test-build-'));
  source = await createSource();
});
afterEach(async () => {
  await source.remove();
  await rm(folder, { recursive: true, force: true });
});

async function commitImages(dockerfile = DOCKERFILE): Promise<string> {
  await source.commit({ 'web/Dockerfile': dockerfile, 'nginx/Dockerfile': dockerfile });
  for (const context of ['web', 'nginx']) cpSync(BUSYBOX, join(source.directory, context, 'busybox'));
  return await source.commit({});
}

async function run(
  images: ImageConfig[],
  commit: string,
  { environment = activityEnvironment(), registry = aws.registry } = {},
): Promise<BuiltSet> {
  const config = configOf(images, {}, source.directory);
  config.aws.registry = registry;
  const env = { ...process.env, SLUICE_CACHE: folder };
  const { buildImages } = createBuildActivities({ config, aws: ecrAt(aws.url), env });
  return await environment.run(buildImages, { app: 'shop', commit });
}

describe('buildImages with a Docker daemon', () => {
  it('builds, pushes, and tells the digests that the daemon pulls by; then keeps them', async () => {
    const commit = await commitImages();
    const { images, kept } = await run([image('web'), image('nginx')], commit);
    expect(kept).toEqual([]);
    for (const { repository, digest } of images) {
      const reference = `${aws.registry}/${repository}@${digest}`;
      await docker('rmi', '--force', `${aws.registry}/${repository}:${commit}`);
      await docker('pull', '--quiet', reference);
      expect(await docker('run', '--rm', '--network', 'none', reference)).toBe(commit);
      const labels = JSON.parse(
        await docker('inspect', '--format', '{{json .Config.Labels}}', reference),
      ) as object;
      expect(labels).toEqual({
        'org.opencontainers.image.revision': commit,
        'org.opencontainers.image.source': 'https://github.com/acme/shop',
      });
    }
    expect(await run([image('web'), image('nginx')], commit)).toMatchObject({
      images,
      kept: ['shop-web', 'shop-nginx'],
    });
  });

  it('tells the step that failed', async () => {
    const commit = await commitImages(`${DOCKERFILE}COPY absent.txt /\n`);
    const failure = await failureOf(run([image('web')], commit));
    expect(failure.type).toBe('BUILD_FAILED');
    expect(failure.message).toMatch(/absent\.txt/);
    const [{ lastLines } = { lastLines: [] }] = (failure.details ?? []) as { lastLines: string[] }[];
    expect(lastLines.join('\n')).toMatch(/COPY absent\.txt \//);
  });

  it('stopped in a push, leaves no docker command running', async () => {
    const commit = await commitImages();
    let uploads = 0;
    const server = createServer(({ method, url }, response) => {
      if (url === '/v2/') response.writeHead(200).end('{}');
      else if (method !== 'POST') response.writeHead(404).end();
      else uploads += 1; // an upload that never gets its answer
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const environment = activityEnvironment();
    const registry = `localhost:${(server.address() as AddressInfo).port}`;
    const ended = run([image('web')], commit, { environment, registry }).catch((error: unknown) => error);
    await until(() => uploads > 0);
    expect(await commands(`push ${registry}/`)).toHaveLength(1);
    environment.cancel('CANCELLED');
    expect(await ended).toBeInstanceOf(CancelledFailure);
    expect(await commands(`push ${registry}/`)).toEqual([]);
    server.closeAllConnections();
    server.close();
  });
});

async function until(check: () => boolean): Promise<void> {
  for (let waited = 0; !check(); waited += 100) {
    if (waited > 30_000) throw new Error('it did not come about');
    await sleep(100);
  }
}

/** Command lines of processes on this machine. */
async function commands(part: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.map((line) => line.replaceAll('\0', ' ')).filter((line) => line.includes(part));
}
