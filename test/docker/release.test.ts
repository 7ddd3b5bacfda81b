/**
 * Releases on real containers: a tag that ministack's ECR holds twice, digests that production really runs, the way
 * back without a build, and the same once more. A probe asks production for its version during all of it.
 */
import { DescribeImagesCommand } from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MANIFEST_TYPES } from '../../clients/registry.js';
import type { Release } from '../../domain/release/release.js';
import { ORG, PEOPLE, REPOSITORY, serviceOf, SERVICES } from '../../sandbox/settings.js';
import type { StackOn } from '../../sandbox/stack.js';
import { startStackOn } from '../../sandbox/stack.js';
import { personAt } from '../support/people.js';
import type { Person } from '../support/people.js';
import { startMinistackPart } from './ministack-part.js';
import type { MinistackPart } from './ministack-part.js';
import { startProbe, unbroken } from './probe.js';
import type { Probe } from './probe.js';
import { refOf, runsExactly } from './running.js';

const app = 'api';
const PRODUCTION = { app, environment: 'production' } as const;
const REPOSITORIES = Object.values(SERVICES[app].containers);
const REASON = 'search answers too slowly';

let stack: StackOn<MinistackPart>;
let person: Person;
let production: Probe;

beforeAll(async () => {
  stack = await startStackOn({}, (input) => startMinistackPart(input, ['staging-api', 'production-api']));
  person = personAt(stack.apiUrl);
  expect(stack.usesDocker).toBe(true);
  production = startProbe(`${stack.aws.serviceUrl(refOf(PRODUCTION))}/version.json`);
});
afterAll(async () => {
  await production?.stop();
  await stack?.close();
});

const revisions = (): Promise<string[]> => stack.aws.revisions(serviceOf(app, 'production'));

/** What ECR tells of each repository: tag → digest. */
async function tagged(): Promise<Record<string, Record<string, string>>> {
  const of = async (repositoryName: string) => {
    const { imageDetails = [] } = await stack.aws.ecr.send(new DescribeImagesCommand({ repositoryName }));
    const tags = imageDetails.flatMap(({ imageTags = [], imageDigest = '' }) =>
      imageTags.map((tag) => [tag, imageDigest] as const),
    );
    // A tag that were on two images would be one too many.
    expect(new Set(tags.map(([tag]) => tag)).size).toBe(tags.length);
    return [repositoryName, Object.fromEntries(tags)] as const;
  };
  return Object.fromEntries(await Promise.all(REPOSITORIES.map(of)));
}

/** As a `docker pull` of it would find it. */
async function inRegistry(repository: string, tag: string): Promise<string | null> {
  const url = `http://${stack.aws.registry}/v2/${repository}/manifests/${tag}`;
  const response = await fetch(url, { method: 'HEAD', headers: { accept: MANIFEST_TYPES.join(', ') } });
  return response.headers.get('docker-content-digest');
}

async function onGitHub<T>(path: string): Promise<T> {
  const url = `${stack.github.url}/repos/${ORG}/${REPOSITORY}/${path}`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${PEOPLE.sluice.token}` } });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return (await response.json()) as T;
}

async function holdsBothTags({ imageTag, tag, digests = {} }: Release): Promise<void> {
  expect(Object.keys(digests).sort()).toEqual([...REPOSITORIES].sort());
  const held = await tagged();
  for (const repository of REPOSITORIES) {
    const digest = digests[repository];
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    for (const name of [tag, imageTag]) {
      expect(held[repository]?.[name]).toBe(digest);
      expect(await inRegistry(repository, name)).toBe(digest);
    }
  }
}

async function isPublished({ gitTag, date, releaseUrl, pullRequest }: Release, of: Change): Promise<void> {
  const made = stack.github.effects();
  const count = (kind: string, what: string) =>
    made.filter((one) => one.kind === kind && one.what === what).map(({ detail }) => detail);
  expect(count('tag', gitTag)).toEqual([of.sha]);
  expect(count('release', gitTag)).toEqual([of.sha]);
  const { html_url, body } = await onGitHub<{ html_url: string; body: string }>(`releases/tags/${gitTag}`);
  expect(releaseUrl).toBe(html_url);
  expect(body).toContain(of.title);
  const branch = `changelog/${gitTag}`;
  expect(made.filter(({ kind, detail }) => kind === 'pull' && detail === branch)).toHaveLength(1);
  expect(pullRequest).toMatch(/\/pull\/\d+$/);
  const path = `contents/documentation/changelogs/${app}/${date}.md`;
  const { content } = await onGitHub<{ content: string }>(`${path}?ref=${encodeURIComponent(branch)}`);
  expect(Buffer.from(content, 'base64').toString('utf8')).toContain(of.title);
}

/** A merge: what is built, and what the release notes tell of. */
interface Change {
  title: string;
  sha: string;
}

async function merge(title: string): Promise<Change> {
  const labels = ['🧱 stack: api'];
  const { sha } = await stack.github.mergePullRequest({ title, author: 'bob', labels, app });
  return { title, sha };
}

async function release({ sha }: Change): Promise<Release> {
  const onStaging = await person.ended(await person.deploy(app, sha));
  expect(onStaging).toMatchObject({ outcome: 'succeeded', verified: true, release: sha });
  const before = await revisions();
  const ended = await person.released(await person.release(app, sha));
  expect(ended).toMatchObject({ outcome: 'succeeded', tag: sha, release: sha, warnings: [] });
  expect(ended.steps.map(({ state }) => state)).toEqual(ended.steps.map(() => 'done'));
  // What staging ran is what was released.
  expect(ended.digests).toEqual(onStaging.digests);
  const { kind, outcome, verified, revision } = await person.read(ended.deployment ?? '');
  expect({ kind, outcome, verified }).toEqual({ kind: 'release', outcome: 'succeeded', verified: true });
  expect(await revisions()).toEqual([...before, revision]);
  expect(await runsExactly(stack.aws, { ...PRODUCTION, revision, tag: ended.imageTag })).toEqual(
    ended.digests,
  );
  expect(production.seen.releases.at(-1)).toBe(sha);
  return ended;
}

describe('two releases, the way back, and the same once more', () => {
  let first: Change & { release: Release };
  let second: Change & { release: Release };

  it('what staging runs is released: a second tag on the same images, production, GitHub', async () => {
    const change = await merge('Search by licence');
    first = { ...change, release: await release(change) };
    await holdsBothTags(first.release);
    await isPublished(first.release, first);
  });

  it('the next one tells of what came since; the first keeps its images', async () => {
    const change = await merge('Answer from a cache');
    second = { ...change, release: await release(change) };
    await holdsBothTags(second.release);
    await isPublished(second.release, second);
    const { body } = await onGitHub<{ body: string }>(`releases/tags/${second.release.gitTag}`);
    expect(body).not.toContain(first.title);
    await holdsBothTags(first.release);
    expect(second.release.digests).not.toEqual(first.release.digests);
  });

  it('a rollback without a tag: back to the first one’s digests, and nothing is built', async () => {
    const [before, held] = [await revisions(), await tagged()];
    const made = stack.github.effectCounts();
    const ended = await person.ended(await person.rollBack(app, 'production', { reason: REASON }));
    const { digests, imageTag } = first.release;
    expect(ended).toMatchObject({ kind: 'rollback', outcome: 'succeeded', verified: true });
    expect(ended).toMatchObject({ release: first.sha, tag: imageTag, digests });
    expect(ended.steps.find(({ name }) => name === 'build')?.state).toBe('skipped');
    expect(await revisions()).toEqual([...before, ended.revision]);
    expect(await tagged()).toEqual(held);
    expect(await runsExactly(stack.aws, { ...PRODUCTION, revision: ended.revision, tag: imageTag })).toEqual(
      digests,
    );
    expect(production.seen.releases.at(-1)).toBe(first.sha);
    const { release: releases, tag, pull } = stack.github.effectCounts();
    expect({ releases, tag, pull }).toEqual({ releases: made.release, tag: made.tag, pull: made.pull });
  });

  it('the registry’s releases can be chosen; the one that was left is marked', async () => {
    expect(await person.get(`/api/targets/production/${app}`)).toMatchObject({
      items: [
        { release: first.sha, live: true, verified: true },
        { release: second.sha, verified: true, bad: { by: 'alice', reason: REASON } },
      ],
      warnings: [],
    });
    await expect(person.release(app, second.release.imageTag)).rejects.toThrow('RELEASE_BAD');
  });

  it('a redeployment takes what the version endpoint reports: the same digests, a new revision', async () => {
    const [before, held] = [await revisions(), await tagged()];
    const ended = await person.ended(await person.redeploy(app, 'production'));
    expect(ended).toMatchObject({ kind: 'redeploy', outcome: 'succeeded', verified: true });
    expect(ended).toMatchObject({ release: first.sha, digests: first.release.digests });
    expect(await revisions()).toEqual([...before, ended.revision]);
    expect(await tagged()).toEqual(held);
    const { revision, tag = '' } = ended;
    expect(await runsExactly(stack.aws, { ...PRODUCTION, revision, tag })).toEqual(first.release.digests);
  });

  it('released again: one more tag on the same images, and no deployment of what runs already', async () => {
    await expect(person.release(app, first.sha)).rejects.toThrow('ALREADY_RELEASED');
    const before = await revisions();
    const ended = await person.released(await person.release(app, first.sha, { again: true }));
    expect(ended).toMatchObject({ outcome: 'succeeded', digests: first.release.digests });
    expect(ended.steps.find(({ name }) => name === 'deploy')?.state).toBe('skipped');
    expect(ended.imageTag).not.toBe(first.release.imageTag);
    await holdsBothTags(ended);
    await holdsBothTags(first.release);
    expect(await revisions()).toEqual(before);
  });

  it('a tag that is on no image changes nothing', async () => {
    const [before, held] = [await revisions(), await tagged()];
    const wrong = `${first.sha.slice(0, -1)}${first.sha.endsWith('0') ? '1' : '0'}`;
    expect(await person.released(await person.release(app, wrong))).toMatchObject({
      outcome: 'rejected',
      failure: { step: 'validate', code: 'TAG_NOT_FOUND', exists: [] },
    });
    const back = await person.rollBack(app, 'production', { tag: wrong, reason: REASON });
    const ended = await person.ended(back);
    expect(ended).toMatchObject({ outcome: 'rejected', failure: { code: 'TAG_NOT_FOUND' } });
    // The tags that may have been meant are really read from the registry.
    expect(ended.failure?.message).toContain(first.sha);
    expect([await revisions(), await tagged()]).toEqual([before, held]);
  });

  it('not one request failed during all of it', async () => {
    unbroken(await production.stop(), [stack.sample.commits.first, first.sha, second.sha, first.sha]);
  });
});
