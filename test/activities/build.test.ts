import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/common';
import type { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBuildActivities } from '../../activities/docker/index.js';
import type { BuiltSet } from '../../activities/docker/index.js';
import { createValidate } from '../../activities/ecr/validate.js';
import { createRegistry } from '../../clients/registry.js';
import type { AppConfig, ImageConfig } from '../../domain/config/config.js';
import type { Validated } from '../../domain/effects.js';
import type { BuildProgress } from '../../domain/view.js';
import { REGISTRY_PASSWORD, startAwsStandIn } from '../../sandbox/aws/index.js';
import type { AwsStandIn } from '../../sandbox/aws/index.js';
import { failureOf } from '../support/failures.js';
import { activityEnvironment, configOf, ecrAt, image } from '../support/images.js';
import { createSource } from '../support/source.js';
import type { SourceRepository } from '../support/source.js';

const BUILDER = resolve('sandbox/docker/bin');
const DOCKERFILE = `FROM scratch AS base
ARG SEMANTIC_VERSION
ENV SEMANTIC_VERSION=$SEMANTIC_VERSION
COPY index.html /
`;
const FILES = {
  'web/Dockerfile': DOCKERFILE,
  'web/index.html': 'hello',
  'nginx/Dockerfile': DOCKERFILE,
  'nginx/index.html': 'proxy',
};
const SET = [image('web'), image('nginx')];

let aws: AwsStandIn;
let source: SourceRepository;
let folder: string;

beforeAll(async () => {
  aws = await startAwsStandIn();
  for (const repository of ['shop-web', 'shop-nginx']) aws.image({ repository });
});
afterAll(() => aws.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-test-build-'));
  source = await createSource();
});
afterEach(async () => {
  await source.remove();
  await rm(folder, { recursive: true, force: true });
});

interface Given {
  commit: string;
  images?: ImageConfig[];
  app?: Partial<AppConfig>;
  env?: NodeJS.ProcessEnv;
  environment?: MockActivityEnvironment;
  /** Another registry than the stand-in's. */
  registry?: string;
}

/** `TMPDIR` is the test's own, so that what is left there can be counted. */
const workerEnv = (env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: `${BUILDER}${delimiter}${process.env['PATH'] ?? ''}`,
  SLUICE_CACHE: join(folder, 'cache'),
  ...env,
});

const build = async (given: Given): Promise<BuiltSet> => {
  const { commit, images = SET, app = {}, env, environment } = given;
  const config = configOf(images, app, source.directory);
  if (given.registry) config.aws.registry = given.registry;
  const activities = createBuildActivities({
    config,
    aws: ecrAt(aws.url),
    env: workerEnv(env),
  });
  return await (environment ?? activityEnvironment()).run(activities.buildImages, { app: 'shop', commit });
};

const registry = (): ReturnType<typeof createRegistry> =>
  createRegistry({ login: { host: aws.registry, username: 'AWS', password: 'x' } });

async function configOfImage(
  repository: string,
  tag: string,
): Promise<{ Env: string[]; Labels: Record<string, string> }> {
  const manifest = await registry().manifest(repository, tag);
  const blob = await fetch(`http://${aws.registry}/v2/${repository}/blobs/${manifest?.config}`);
  return ((await blob.json()) as { config: { Env: string[]; Labels: Record<string, string> } }).config;
}

/** A docker command of a few lines of shell, before the real ones on PATH. */
async function scripted(script: string): Promise<NodeJS.ProcessEnv> {
  const path = join(folder, 'bin');
  await mkdir(path);
  await writeFile(join(path, 'docker'), `#!/bin/sh\n${script}\n`);
  await chmod(join(path, 'docker'), 0o755);
  return { PATH: `${path}${delimiter}${BUILDER}${delimiter}${process.env['PATH'] ?? ''}` };
}

const until = async (check: () => boolean): Promise<void> => {
  for (let waited = 0; !check(); waited += 20) {
    if (waited > 10_000) throw new Error('it did not come about');
    await sleep(20);
  }
};

describe('buildImages', () => {
  it('builds and pushes the set, and tells what the registry then holds', async () => {
    const commit = await source.commit(FILES);
    const { images, kept } = await build({ commit });
    expect(kept).toEqual([]);
    expect(images.map(({ repository }) => repository)).toEqual(['shop-web', 'shop-nginx']);
    for (const { repository, digest } of images) {
      expect((await registry().manifest(repository, commit))?.digest).toBe(digest);
      const { Env, Labels } = await configOfImage(repository, commit);
      expect(Env).toContain(`SEMANTIC_VERSION=${commit}`);
      expect(Labels).toMatchObject({
        'org.opencontainers.image.revision': commit,
        'org.opencontainers.image.source': 'https://github.com/acme/shop',
      });
    }
    const { validate } = createValidate({ config: configOf(SET), aws: ecrAt(aws.url) });
    const validated: Validated = await activityEnvironment().run(validate, {
      app: 'shop',
      environment: 'staging',
      tag: commit,
    });
    expect(validated.release).toBe(commit);
    expect(validated.images.map(({ digest }) => digest)).toEqual(images.map(({ digest }) => digest));
  });

  it('keeps what is there with that revision, and needs no Docker for it', async () => {
    const commit = await source.commit(FILES);
    const first = await build({ commit });
    const env = await scripted('exit 1');
    const again = await build({ commit, env });
    expect(again.images).toEqual(first.images);
    expect(again.kept).toEqual(['shop-web', 'shop-nginx']);
  });

  it('goes on where a killed attempt stopped: after the push of the first image', async () => {
    const commit = await source.commit(FILES);
    const first = await build({ commit, images: [image('web')] });
    const second = await build({ commit });
    expect(second.kept).toEqual(['shop-web']);
    expect(second.images[0]).toEqual(first.images[0]);
    expect(second.images).toHaveLength(2);
  });

  it('builds anew what bears the tag without the revision', async () => {
    const commit = await source.commit(FILES);
    aws.image({ repository: 'shop-web', tag: commit });
    aws.image({ repository: 'shop-nginx', tag: commit, release: 'f'.repeat(40) });
    const { kept } = await build({ commit });
    expect(kept).toEqual([]);
    expect((await configOfImage('shop-web', commit)).Labels['org.opencontainers.image.revision']).toBe(
      commit,
    );
  });

  it('hands on target, Dockerfile, arguments, platform and further tags', async () => {
    const dockerfile = `${DOCKERFILE}FROM base AS final\nARG COLOUR\nLABEL colour=$COLOUR\nFROM scratch AS other\nCOPY nothing /\n`;
    const commit = await source.commit({ ...FILES, 'docker/web.Dockerfile': dockerfile });
    const web = image('web', {
      dockerfile: 'docker/web.Dockerfile',
      target: 'final',
      buildArgs: { COLOUR: 'green', SEMANTIC_VERSION: 'mine' },
      platform: 'linux/arm64',
      alsoTag: ['latest'],
    });
    const { images } = await build({ commit, images: [web] });
    const { Env, Labels } = await configOfImage('shop-web', commit);
    expect(Labels['colour']).toBe('green');
    expect(Env).toContain(`SEMANTIC_VERSION=${commit}`);
    expect((await registry().manifest('shop-web', 'latest'))?.digest).toBe(images[0]?.digest);
  });

  it('runs the prepare commands first; what they print as NAME=value becomes arguments', async () => {
    const dockerfile = 'FROM scratch\nARG WHEN\nLABEL when=$WHEN\nCOPY made.txt /\n';
    const commit = await source.commit({ 'web/Dockerfile': dockerfile });
    const prepare = [
      'echo working; echo made > web/made.txt',
      'echo WHEN=now; echo "not a name=x"; test -z "$GITHUB_TOKEN"',
    ];
    await build({ commit, images: [image('web')], app: { prepare }, env: { GITHUB_TOKEN: 'ghs_never' } });
    expect((await configOfImage('shop-web', commit)).Labels['when']).toBe('now');
    const next = await source.commit({ x: '1' });
    const failure = await failureOf(
      build({ commit: next, images: [image('web')], app: { prepare: ['echo the reason; exit 3'] } }),
    );
    expect(failure).toMatchObject({ type: 'BUILD_FAILED', nonRetryable: true });
    expect(failure.message).toContain('ended with 3');
    expect(failure.details).toEqual([{ lastLines: ['$ echo the reason; exit 3', 'the reason'] }]);
  });

  it('waits for CI where CI builds', async () => {
    const commit = await source.commit(FILES);
    const app = { build: 'external' as const };
    aws.image({ repository: 'shop-web', tag: commit });
    const failure = await failureOf(build({ commit, app }));
    expect(failure).toMatchObject({ type: 'BUILDING', nonRetryable: false, nextRetryDelay: 10_000 });
    expect(failure.message).toContain(`shop-nginx:${commit}`);
    expect(failure.message).not.toContain('shop-web');
    aws.image({ repository: 'shop-nginx', tag: commit });
    expect((await build({ commit, app })).kept).toEqual(['shop-web', 'shop-nginx']);
  });
});

describe('what cannot be built', () => {
  it('is a commit that is not on the branch', async () => {
    await source.commit(FILES);
    source.git('checkout', '--quiet', '-b', 'fork');
    const commit = await source.commit({ x: '1' });
    const failure = await failureOf(build({ commit }));
    expect(failure).toMatchObject({ type: 'NOT_ON_BRANCH', nonRetryable: true });
    expect(await registry().manifest('shop-web', commit)).toBeUndefined();
  });

  it('tells the line that complains and the last lines', async () => {
    const commit = await source.commit({ ...FILES, 'web/Dockerfile': 'FROM scratch\nCOPY absent.txt /\n' });
    const failure = await failureOf(build({ commit, images: [image('web')] }));
    expect(failure).toMatchObject({ type: 'BUILD_FAILED', nonRetryable: true });
    expect(failure.message).toContain('stat absent.txt: file does not exist');
    const [{ lastLines } = { lastLines: [] }] = (failure.details ?? []) as { lastLines: string[] }[];
    expect(lastLines).toContain('Step 2/2 : COPY absent.txt /');
    expect(failure.cause).toBeUndefined();
  });

  it('keeps the last 200 lines, each of them bounded', async () => {
    const commit = await source.commit(FILES);
    const env = await scripted(
      'case $1 in version) exit 0;; build) i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i+1)); done; head -c 100000 /dev/zero | tr "\\0" x; echo; exit 1;; *) exit 1;; esac',
    );
    const failure = await failureOf(build({ commit, images: [image('web')], env }));
    const [{ lastLines } = { lastLines: [] }] = (failure.details ?? []) as { lastLines: string[] }[];
    expect(lastLines).toHaveLength(200);
    expect(lastLines[0]).toBe('line 301');
    expect(Math.max(...lastLines.map((line) => line.length))).toBeLessThanOrEqual(400);
    expect(failure.message.length).toBeLessThan(1_000);
  });

  it('is a path that the commit lacks, or a link out of it', async () => {
    const commit = await source.commit({ ...FILES, 'way/out': '-> /etc' });
    for (const context of ['absent', 'way/out']) {
      const failure = await failureOf(build({ commit, images: [image('web', { context })] }));
      expect(failure.type).toBe('BUILD_FAILED');
      expect(failure.message).toContain(`the commit has no ${context} (context)`);
    }
  });

  it('is what needs BuildKit, with a classic builder', async () => {
    const commit = await source.commit(FILES);
    for (const given of [
      { secrets: [{ id: 'npm', env: 'NPM_TOKEN' }] },
      { buildContexts: { shared: 'nginx' } },
    ]) {
      const failure = await failureOf(
        build({ commit, images: [image('web', given)], env: { NPM_TOKEN: 'x' } }),
      );
      expect(failure.type).toBe('BUILD_FAILED');
      expect(failure.message).toContain('BuildKit');
    }
  });

  it('waits for a Docker that answers, and says what to do', async () => {
    const commit = await source.commit(FILES);
    const dead = await failureOf(
      build({ commit, env: { ...(await scripted('exit 1')), DOCKER_HOST: 'tcp://nowhere:1' } }),
    );
    expect(dead).toMatchObject({ type: 'NO_BUILD_WORKER', nonRetryable: false });
    expect(dead.message).toContain('tcp://nowhere:1');
    expect(dead.message.split('\n')).toHaveLength(1);
  });

  it('ends the other images of the set when one fails', async () => {
    const commit = await source.commit(FILES);
    const env = await scripted(
      `case "$*" in version*) exit 0;; "buildx version") exit 1;; build*web) sleep 0.5; echo broken; exit 1;; build*) echo $$ > ${folder}/pid; sleep 60;; *) exit 1;; esac`,
    );
    const started = Date.now();
    const failure = await failureOf(build({ commit, env }));
    expect(failure.message).toContain('shop-web');
    expect(Date.now() - started).toBeLessThan(10_000);
    expect(await isAlive(await pidIn(join(folder, 'pid')))).toBe(false);
  });
});

const pidIn = async (path: string): Promise<number> => Number(await readFile(path, 'utf8'));

/** One that ended and that nobody asked after is not alive. */
async function isAlive(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return state !== '' && !/\) [ZX] /.test(state);
}

describe('a registry that fails the push', () => {
  const FAILING =
    'case $1 in version|build) exit 0;; push) echo "denied: no basic auth"; exit 1;; *) exit 1;; esac';

  it('is a failed build where the registry refuses', async () => {
    const commit = await source.commit(FILES);
    const failure = await failureOf(build({ commit, images: [image('web')], env: await scripted(FAILING) }));
    expect(failure.type).toBe('BUILD_FAILED');
    expect(failure.message).toContain('denied: no basic auth');
  });

  it('is an outage where the registry does not answer', async () => {
    const server = createServer(({ url }, response) => response.writeHead(url === '/v2/' ? 503 : 404).end());
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const commit = await source.commit(FILES);
    const failure = await failureOf(
      build({
        commit,
        images: [image('web')],
        env: await scripted(FAILING),
        registry: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      }),
    );
    server.close();
    expect([failure.type, failure.nonRetryable]).toEqual(['REGISTRY_DOWN', false]);
  });

  it('says where the registry took a push and does not hold it', async () => {
    const commit = await source.commit(FILES);
    const env = await scripted('case $1 in version|build|push) exit 0;; *) exit 1;; esac');
    const failure = await failureOf(build({ commit, images: [image('web')], env }));
    expect([failure.type, failure.nonRetryable]).toEqual(['REGISTRY_DOWN', false]);
  });
});

describe('a stop', () => {
  it('ends the whole process group and leaves nothing behind', async () => {
    const commit = await source.commit(FILES);
    const env = await scripted(
      `case $1 in version) exit 0;; build) trap "" TERM; sleep 300 & echo $! > ${folder}/inner; echo $$ > ${folder}/outer; wait;; *) exit 1;; esac`,
    );
    const environment = activityEnvironment();
    const before = (await readdir(tmpdir())).filter((name) => /^sluice-(source|build)-/.test(name));
    const building = build({ commit, images: [image('web')], env, environment }).catch(
      (error: unknown) => error,
    );
    await until(() => existsSync(join(folder, 'outer')));
    await sleep(50);
    const pids = [await pidIn(join(folder, 'inner')), await pidIn(join(folder, 'outer'))];
    environment.cancel('CANCELLED');
    expect(await building).toBeInstanceOf(CancelledFailure);
    await sleep(50);
    expect(await Promise.all(pids.map(isAlive))).toEqual([false, false]);
    const left = (await readdir(tmpdir())).filter((name) => /^sluice-(source|build)-/.test(name));
    expect(left.filter((name) => !before.includes(name))).toEqual([]);
  });
});

describe('progress', () => {
  it('is told with phase, image and the last lines, at most once a second', async () => {
    const commit = await source.commit(FILES);
    const env = await scripted(
      'case $1 in version) exit 0;; build) i=0; while [ $i -lt 40 ]; do echo line $i; i=$((i+1)); sleep 0.07; done; exit 1;; *) exit 1;; esac',
    );
    const environment = activityEnvironment();
    const beats: { at: number; progress: BuildProgress }[] = [];
    environment.on('heartbeat', (progress: BuildProgress) => beats.push({ at: Date.now(), progress }));
    await failureOf(build({ commit, images: [image('web')], env, environment }));
    expect(beats[0]?.progress.phase).toBe('source');
    const last = beats.at(-1)?.progress;
    expect(last).toMatchObject({ phase: 'build', image: 'shop-web' });
    expect(last?.lines?.length).toBeLessThanOrEqual(20);
    expect(last?.lines?.at(-1)).toMatch(/^shop-web \| line \d+$/);
    const gaps = beats.slice(1).map(({ at }, index) => at - (beats[index]?.at ?? 0));
    expect(beats.length).toBeGreaterThanOrEqual(3);
    expect(Math.min(...gaps)).toBeGreaterThan(800);
  });

  it('holds no secret, and neither does the failure', async () => {
    const commit = await source.commit(FILES);
    const secrets = {
      GITHUB_TOKEN: 'ghs_0123456789abcdefghij',
      NPM_TOKEN: 'npm-hunter22',
      AWS_SECRET_ACCESS_KEY: 'aws/hunter33',
    };
    // "buildx version" succeeds: a BuildKit that prints all that it can see.
    const env = await scripted(
      'case "$*" in version*|"buildx version") exit 0;; *) env; cat $DOCKER_CONFIG/config.json; echo; printf "arg %s\\n" "$@"; printf "$NPM_TOKEN ghs_0123456789abcdefghij aws/hunter33\\n"; sleep 1.2; exit 1;; esac',
    );
    const images = [image('web', { secrets: [{ id: 'npm', env: 'NPM_TOKEN' }] })];
    const environment = activityEnvironment();
    const told: unknown[] = [];
    environment.on('heartbeat', (progress: unknown) => told.push(progress));
    const failure = await failureOf(build({ commit, images, env: { ...env, ...secrets }, environment }));
    const text = JSON.stringify([told, failure.message, failure.details]);
    expect(text).toContain('NPM_TOKEN=***');
    expect(text).toContain('arg id=npm,env=NPM_TOKEN');
    expect(text).toContain('\\"auth\\":\\"***');
    for (const secret of Object.values(secrets)) expect(text).not.toContain(secret);
    expect(text).not.toContain(Buffer.from(`AWS:${REGISTRY_PASSWORD}`).toString('base64'));
    // Clean environment: not even the names of the others.
    expect(text).not.toContain('GITHUB_TOKEN');
    expect(text).not.toContain('AWS_SECRET_ACCESS_KEY');
  });
});
