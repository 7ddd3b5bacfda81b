import { BatchGetImageCommand, DescribeImagesCommand, PutImageCommand } from '@aws-sdk/client-ecr';
import type { ECRClient } from '@aws-sdk/client-ecr';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRetag } from '../../activities/ecr/retag.js';
import { MANIFEST_TYPES } from '../../clients/registry.js';
import type { ImagesTagged } from '../../domain/release/effects.js';
import { startAwsStandIn } from '../../sandbox/aws/index.js';
import type { AwsStandIn } from '../../sandbox/aws/index.js';
import { failureOf } from '../support/failures.js';
import { activityEnvironment, ecrAt } from '../support/images.js';

const REL = 'rel-2026.01.02.03.04.05';
const REPOSITORIES = ['shop-web', 'shop-nginx'];

let aws: AwsStandIn;
let ecr: ECRClient;
let count = 0;

beforeAll(async () => {
  aws = await startAwsStandIn();
  ({ ecr } = ecrAt(aws.url));
});
afterAll(async () => {
  ecr.destroy();
  await aws.close();
});
beforeEach(() => {
  aws.clearFaults();
  aws.resetCalls();
});

/** An image set of its own for each test, under a tag of its own. */
function set(change: { index?: boolean; docker?: boolean } = {}) {
  count += 1;
  const suffix = `-${count}`;
  return REPOSITORIES.map((name) => {
    const repository = `${name}${suffix}`;
    return {
      repository,
      digest: aws.image({ repository, tag: 'v1', release: 'a'.repeat(40), ...change }).digest,
    };
  });
}
type Set = ReturnType<typeof set>;

const tag = (
  from: Set,
  given: Partial<{ client: ECRClient; member(): Promise<void> }> = {},
): Promise<ImagesTagged> => {
  const { client = ecr, member = () => Promise.resolve() } = given;
  const { tagImages } = createRetag({ aws: { ecr: client }, requireMaintainer: member });
  return activityEnvironment().run(tagImages, { app: 'shop', actor: 'alice', from, imageTag: REL });
};

async function held(repository: string, imageTag: string) {
  const command = new BatchGetImageCommand({
    repositoryName: repository,
    imageIds: [{ imageTag }],
    acceptedMediaTypes: [...MANIFEST_TYPES],
  });
  const [image] = (await ecr.send(command)).images ?? [];
  return (
    image && {
      manifest: image.imageManifest,
      type: image.imageManifestMediaType,
      digest: image.imageId?.imageDigest,
    }
  );
}

async function tagsOf(repository: string): Promise<string[]> {
  const { imageDetails = [] } = await ecr.send(new DescribeImagesCommand({ repositoryName: repository }));
  return imageDetails.flatMap(({ imageTags = [] }) => imageTags).sort();
}

/** How many were done, whatever became of the answer. */
const puts = (): number => aws.calls({ operation: 'ecr:PutImage' }).filter(({ effect }) => effect).length;

describe('tagImages', () => {
  it.each([{}, { docker: true }, { index: true }, { index: true, docker: true }])(
    'puts the same bytes, type and digest under the tag (%o)',
    async (kind) => {
      const from = set(kind);
      expect(await tag(from)).toEqual({ put: from.map(({ repository }) => repository) });
      for (const { repository, digest } of from) {
        const [before, after] = [await held(repository, 'v1'), await held(repository, REL)];
        expect(after).toEqual(before);
        expect(after?.digest).toBe(digest);
        expect(await tagsOf(repository)).toEqual([REL, 'v1']);
      }
    },
  );

  it('again writes nothing', async () => {
    const from = set();
    await tag(from);
    expect(await tag(from)).toEqual({ put: [] });
    expect(puts()).toBe(2);
  });

  it('takes the image by its digest, wherever its tag moved', async () => {
    const from = set();
    for (const { repository } of from) aws.image({ repository, tag: 'v1', release: 'b'.repeat(40) });
    await tag(from);
    for (const { repository, digest } of from) expect((await held(repository, REL))?.digest).toBe(digest);
  });

  it('writes nothing for one who is no maintainer', async () => {
    const from = set();
    const member = () => Promise.reject(ApplicationFailure.nonRetryable('no', 'NOT_A_MAINTAINER'));
    expect((await failureOf(tag(from, { member }))).type).toBe('NOT_A_MAINTAINER');
    for (const { repository } of from) expect(await held(repository, REL)).toBeUndefined();
  });

  it('refuses where the tag is on another image of the set, before any is tagged', async () => {
    const from = set();
    const [first, second] = from;
    aws.image({ repository: second?.repository ?? '', tag: REL, release: 'c'.repeat(40) });
    const failure = await failureOf(tag(from));
    expect(failure).toMatchObject({ type: 'TAG_CONFLICT', nonRetryable: true });
    expect(failure.message).toContain(`${second?.repository}:${REL}`);
    expect(await held(first?.repository ?? '', REL)).toBeUndefined();
  });

  it('refuses an image that is gone', async () => {
    const [first] = set();
    const gone = { repository: first?.repository ?? '', digest: `sha256:${'0'.repeat(64)}` };
    const failure = await failureOf(tag([gone]));
    expect(failure.type).toBe('TAG_NOT_FOUND');
    expect(failure.message).toContain(gone.digest);
  });
});

describe('an answer that is lost', () => {
  it.each([0, 1])(
    'after image %i was tagged: the next attempt ends the same, each is put once',
    async (skip) => {
      const from = set();
      aws.fault({ operation: 'ecr:PutImage', kind: 'lose-after', times: 1, skip });
      const failure = await failureOf(tag(from));
      expect(failure).toMatchObject({ type: 'AWS_DOWN', nonRetryable: false });
      await tag(from);
      for (const { repository, digest } of from) expect((await held(repository, REL))?.digest).toBe(digest);
      expect(puts()).toBe(2);
    },
  );

  it('before anything was done is asked for again', async () => {
    const from = set();
    aws.fault({ operation: 'ecr:PutImage', kind: 'lose-before', times: 1, skip: 1 });
    await failureOf(tag(from));
    expect(await tag(from)).toEqual({ put: [from[1]?.repository] });
  });

  it('of a read is read again at once', async () => {
    const from = set();
    aws.fault({ operation: 'ecr:BatchGetImage', kind: 'throttle', every: 3 });
    expect((await tag(from)).put).toHaveLength(2);
  });
});

describe('a worker that dies between two images', () => {
  it('leaves one that the next finds, and does not put again', async () => {
    const from = set();
    aws.fault({ operation: 'ecr:PutImage', kind: 'hold-after', times: 1, skip: 0 });
    const { tagImages } = createRetag({ aws: { ecr }, requireMaintainer: () => Promise.resolve() });
    const environment = activityEnvironment();
    const dying = environment.run(tagImages, { app: 'shop', actor: 'alice', from, imageTag: REL });
    const ended = expect(dying).rejects.toThrow();
    for (const end = Date.now() + 5_000; puts() === 0 && Date.now() < end;)
      await new Promise((resolve) => setTimeout(resolve, 20));
    environment.cancel();
    await ended;
    expect(await held(from[1]?.repository ?? '', REL)).toBeUndefined();
    expect(await tag(from)).toEqual({ put: [from[1]?.repository] });
    expect(puts()).toBe(2);
  });
});

/** A repository of immutable tags refuses every PutImage under a tag that is there. */
function immutable(meanwhile: (put: PutImageCommand) => Promise<unknown>): ECRClient {
  const send = async (command: unknown, options: object): Promise<unknown> => {
    if (!(command instanceof PutImageCommand)) return await ecr.send(command as never, options as never);
    await meanwhile(command);
    throw Object.assign(new Error('the tag is immutable'), {
      name: 'ImageTagAlreadyExistsException',
      $metadata: { httpStatusCode: 400 },
    });
  };
  return { send } as unknown as ECRClient;
}

describe('immutable tags', () => {
  it('that are there are not put again', async () => {
    const from = set();
    await tag(from);
    const client = immutable(() => Promise.reject(new Error('it was put')));
    expect(await tag(from, { client })).toEqual({ put: [] });
  });

  it('that came in between on the same image are success', async () => {
    const from = set();
    const client = immutable(async (put) => await ecr.send(put));
    await tag(from, { client });
    for (const { repository, digest } of from) expect((await held(repository, REL))?.digest).toBe(digest);
  });

  it('that came in between on another image are a conflict', async () => {
    const [image] = set();
    const { repository = '' } = image ?? {};
    const client = immutable(() =>
      Promise.resolve(aws.image({ repository, tag: REL, release: 'c'.repeat(40) })),
    );
    expect((await failureOf(tag(image ? [image] : [], { client }))).type).toBe('TAG_CONFLICT');
  });
});
