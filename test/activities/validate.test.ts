import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createValidate } from '../../activities/ecr/validate.js';
import type { Config } from '../../domain/config/config.js';
import type { ValidateInput, Validated } from '../../domain/effects.js';
import { startAwsStandIn } from '../../sandbox/aws/index.js';
import type { AwsStandIn } from '../../sandbox/aws/index.js';
import { failureOf } from '../support/failures.js';
import { activityEnvironment, configOf, ecrAt, image } from '../support/images.js';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const SET = configOf([image('web'), image('nginx', { containers: ['nginx', 'proxy'] })]);

let aws: AwsStandIn;
beforeAll(async () => {
  aws = await startAwsStandIn();
});
afterAll(() => aws.close());
beforeEach(() => aws.clearFaults());

const validate = (given: Partial<ValidateInput>, config: Config = SET): Promise<Validated> => {
  const { validate: activity } = createValidate({ config, aws: ecrAt(aws.url) });
  const input = { app: 'shop', environment: 'staging', tag: 'v1', ...given };
  return activityEnvironment().run(activity, input);
};

describe('validate', () => {
  it('finds each image of the set by the tag, and its release by the label', async () => {
    const web = aws.image({ repository: 'shop-web', tag: 'v1', release: A });
    const nginx = aws.image({ repository: 'shop-nginx', tag: 'v1', release: A, index: true });
    expect(await validate({})).toEqual({
      images: [
        { containers: ['web'], repository: 'shop-web', tag: 'v1', digest: web.digest, listed: [] },
        {
          containers: ['nginx', 'proxy'],
          repository: 'shop-nginx',
          tag: 'v1',
          digest: nginx.digest,
          listed: nginx.listed,
        },
      ],
      release: A,
      warnings: [],
    });
  });

  it('gives the same digests for Docker’s media types', async () => {
    const web = aws.image({ repository: 'shop-web', tag: 'docker', release: A, docker: true });
    const nginx = aws.image({
      repository: 'shop-nginx',
      tag: 'docker',
      release: A,
      docker: true,
      index: true,
    });
    const { images, release } = await validate({ tag: 'docker' });
    expect(images.map(({ digest }) => digest)).toEqual([web.digest, nginx.digest]);
    expect(release).toBe(A);
  });

  it('understands a release’s git tag', async () => {
    for (const repository of ['shop-web', 'shop-nginx']) {
      aws.image({ repository, tag: 'rel-2024.01.02.03.04.05', release: B });
    }
    const { images, release } = await validate({ tag: 'shop-2024.01.02.03.04.05' });
    expect(images.map(({ tag }) => tag)).toEqual(['rel-2024.01.02.03.04.05', 'rel-2024.01.02.03.04.05']);
    expect(release).toBe(B);
    const failure = await failureOf(validate({ tag: 'other-2024.01.02.03.04.05' }));
    expect(failure.message).toContain('shop-web:other-2024.01.02.03.04.05');
  });

  it('takes a 40-hex tag on the same digest where there is no label, else the tag', async () => {
    const config = configOf([image('plain')]);
    aws.image({ repository: 'shop-plain', tag: 'old' });
    expect((await validate({ tag: 'old' }, config)).release).toBe('old');
    const { digest } = aws.image({ repository: 'shop-plain', tag: 'same', labels: { other: 'x' } });
    const known = await validate({ tag: 'same' }, config);
    expect(known.images[0]?.digest).toBe(digest);
    expect(known.release).toBe('same');
    await retag('shop-plain', 'same', B);
    expect((await validate({ tag: 'same' }, config)).release).toBe(B);
  });

  it('warns where the images of the set are of different releases', async () => {
    aws.image({ repository: 'shop-web', tag: 'mixed', release: A });
    aws.image({ repository: 'shop-nginx', tag: 'mixed', release: B });
    const { release, warnings } = await validate({ tag: 'mixed' });
    expect(release).toBe(A);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.code).toBe('RELEASES_DIFFER');
    expect(warnings[0]?.message).toContain(`shop-nginx: ${B}`);
  });
});

/** A second tag on the manifest, as `docker push` of a retagged image makes it. */
async function retag(repository: string, from: string, to: string): Promise<void> {
  const manifests = `http://${aws.registry}/v2/${repository}/manifests`;
  const held = await fetch(`${manifests}/${from}`);
  const type = held.headers.get('content-type') ?? '';
  const put = await fetch(`${manifests}/${to}`, {
    method: 'PUT',
    headers: { 'content-type': type },
    body: await held.arrayBuffer(),
  });
  expect(put.status).toBe(201);
}

describe('what is missing', () => {
  it('is told with repository and tag', async () => {
    aws.image({ repository: 'shop-web', tag: 'half', release: A });
    aws.image({ repository: 'shop-nginx', tag: 'v1', release: A });
    const failure = await failureOf(validate({ tag: 'half' }));
    expect(failure).toMatchObject({ type: 'TAG_NOT_FOUND', nonRetryable: true });
    expect(failure.message).toContain('shop-nginx:half');
  });

  it('may be the repository', async () => {
    const failure = await failureOf(validate({}, configOf([image('absent')])));
    expect(failure.type).toBe('TAG_NOT_FOUND');
    expect(failure.message).toContain('no repository shop-absent');
  });

  it('may be what no tag can be', async () => {
    const failure = await failureOf(validate({ tag: 'a b/c' }));
    expect(failure.type).toBe('TAG_NOT_FOUND');
    expect(failure.message).toContain('"a b/c"');
  });
});

describe('by digests', () => {
  it('looks up what was given, whatever the tag names now', async () => {
    const old = ['web', 'nginx'].map(
      (name) => aws.image({ repository: `shop-${name}`, tag: 'moved', release: A }).digest,
    );
    for (const name of ['web', 'nginx']) aws.image({ repository: `shop-${name}`, tag: 'moved', release: B });
    const digests = { 'shop-web': old[0] ?? '', 'shop-nginx': old[1] ?? '' };
    const { images, release } = await validate({ tag: 'moved', digests });
    expect(images.map(({ digest, tag }) => [digest, tag])).toEqual(old.map((digest) => [digest, 'moved']));
    expect(release).toBe(A);
    expect((await validate({ tag: 'any label at all', digests })).images[0]?.tag).toBe('any label at all');
  });

  it('refuses a digest that is missing or unknown', async () => {
    const digest = aws.image({ repository: 'shop-web', tag: 'd', release: A }).digest;
    const incomplete = await failureOf(validate({ digests: { 'shop-web': digest } }));
    expect(incomplete.message).toContain('shop-nginx');
    const unknown = await failureOf(
      validate({ digests: { 'shop-web': digest, 'shop-nginx': `sha256:${'0'.repeat(64)}` } }),
    );
    expect(unknown).toMatchObject({ type: 'TAG_NOT_FOUND', nonRetryable: true });
  });
});

describe('an AWS that fails', () => {
  it.each([
    ['throttle', 'AWS_DOWN', false],
    ['error', 'AWS_DOWN', false],
    ['lose-after', 'AWS_DOWN', false],
    ['deny', 'AWS_REFUSED', true],
  ] as const)('%s is %s', async (kind, code, final) => {
    for (const operation of ['ecr:BatchGetImage', 'ecr:GetAuthorizationToken']) {
      aws.clearFaults();
      aws.fault({ operation, kind });
      const failure = await failureOf(validate({}));
      expect([failure.type, failure.nonRetryable]).toEqual([code, final]);
      expect(failure.message).toContain(operation.slice(4));
      expect(failure.cause).toBeUndefined();
      expect(failure.message).not.toContain('\n    at ');
    }
  });

  it('is asked again a few times, then by Temporal; by the SDK never', async () => {
    aws.resetCalls();
    aws.fault({ operation: 'ecr:BatchGetImage', kind: 'error' });
    await failureOf(validate({}, configOf([image('web')])));
    expect(aws.calls({ operation: 'ecr:BatchGetImage' })).toHaveLength(4);
  });

  it.each([0, 1, 2])(
    'gets through while every third call is throttled, whichever is first (%i)',
    async (skip) => {
      aws.fault({ operation: '*', kind: 'throttle', every: 3, skip });
      expect((await validate({})).images).toHaveLength(2);
    },
  );
});

describe('a registry that fails', () => {
  let server: Server;
  let answer: { status: number; body: string };
  beforeAll(async () => {
    server = createServer((_, response) => response.writeHead(answer.status).end(answer.body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => server.close());

  it.each([
    [503, '', 'REGISTRY_DOWN'],
    [429, '', 'REGISTRY_DOWN'],
    [200, 'a page of a proxy', 'REGISTRY_DOWN'],
    [401, '', 'AWS_REFUSED'],
    [403, '', 'AWS_REFUSED'],
  ])('answers %i %j: %s', async (status, body, code) => {
    answer = { status, body };
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const config = configOf([image('web')]);
    aws.image({ repository: 'shop-web', tag: 'v1', release: A });
    const failure = await failureOf(
      validate({}, { ...config, aws: { region: 'us-east-1', registry: host } }),
    );
    expect(failure.type).toBe(code);
    expect(failure.message).toContain(host);
  });

  it('does not answer at all', async () => {
    const config = configOf([image('web')]);
    const failure = await failureOf(
      validate({}, { ...config, aws: { region: 'us-east-1', registry: '127.0.0.1:9' } }),
    );
    expect([failure.type, failure.nonRetryable]).toEqual(['REGISTRY_DOWN', false]);
  });
});
