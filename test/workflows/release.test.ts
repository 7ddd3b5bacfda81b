import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import type { DeploymentRequest } from '../../domain/deployment.js';
import { SEARCH_ATTRIBUTE } from '../../domain/messages.js';
import type { PublishInput, TagImagesInput } from '../../domain/release/effects.js';
import type { Release, ReleaseRequest, ReleaseStepName } from '../../domain/release/release.js';
import { workflowBundle } from '../../worker/bundle.js';
import { createLanes } from '../support/lanes.js';
import {
  commitOf,
  createReleases,
  digestOf,
  gate,
  releaseRequest,
  releaseScript,
  releaseWorkers,
} from '../support/releases.js';
import type { ReleaseScript } from '../support/releases.js';
import type { Calls } from '../support/scripted.js';
import { eventually, failing } from '../support/scripted.js';
import type { TestTemporal } from '../support/temporal.js';
import { connect } from '../support/temporal.js';

let temporal: TestTemporal;
let workers: { stop(): Promise<void> };
let acts: ReleaseScript;
let releases: ReturnType<typeof createReleases>;
let lanes: ReturnType<typeof createLanes>;
const calls: Calls = [];

/** An app of its own for each test: what one leaves behind is not the next one's. */
let app: string;
let count = 0;

beforeAll(async () => {
  temporal = await connect();
  acts = releaseScript();
  workers = await releaseWorkers(temporal, acts, calls);
  releases = createReleases(temporal, { release: { watchdogMs: 500, changelogMs: 1_000 } });
  lanes = createLanes(temporal.client);
});
afterAll(async () => {
  await workers.stop();
  await temporal.close();
});
beforeEach(() => {
  calls.splice(0);
  count += 1;
  app = `app${count}`;
});
afterEach(() => Object.assign(acts, releaseScript()));

const ask = async (change: Partial<ReleaseRequest> = {}) => {
  const request = releaseRequest({ app, ...change });
  return { request, ...(await releases.request(request)) };
};
const blockedAt = (id: string, step: ReleaseStepName): Promise<Release> =>
  releases.until(id, ({ state, blocked }) => state === 'blocked' && blocked?.step === step);
const states = ({ steps }: Release) => Object.fromEntries(steps.map(({ name, state }) => [name, state]));
const inputs = <T>(name: string): T[] =>
  calls.filter((call) => call.name === name).map(({ input }) => input as T);
const ORDER = ['validate', 'tagImages', 'register', 'publishRelease', 'openChangelog'];
const order = () => [...new Set(calls.map(({ name }) => name).filter((name) => ORDER.includes(name)))];
const DONE = { validate: 'done', tag: 'done', deploy: 'done', publish: 'done', changelog: 'done' };

describe('a release', () => {
  it('tags, deploys what it tagged, publishes and opens the changelog, in this order', async () => {
    const { request, id, date, gitTag, imageTag } = await ask({ reason: 'because' });
    const ended = await releases.result(id);
    expect(ended).toMatchObject({
      ...{ id, date, gitTag, imageTag, app, tag: request.tag, actor: 'alice', reason: 'because' },
      ...{ state: 'finished', outcome: 'succeeded', release: commitOf(request.tag), warnings: [] },
      releaseUrl: `https://github.test/releases/${gitTag}`,
      pullRequest: `https://github.test/pull/${gitTag}`,
    });
    expect(states(ended)).toEqual(DONE);
    expect(ended.waitingFor ?? ended.blocked ?? ended.failure).toBeUndefined();
    expect(order()).toEqual(ORDER);
    const from = [{ repository: 'openverse-api', digest: digestOf(request.tag) }];
    expect(inputs<TagImagesInput>('tagImages')).toEqual([{ app, actor: 'alice', from, imageTag }]);
    expect(inputs<PublishInput>('publishRelease')).toEqual([
      {
        app,
        gitTag,
        release: commitOf(request.tag),
        tag: request.tag,
        actor: 'alice',
        deployment: ended.deployment,
      },
    ]);
    expect(inputs('openChangelog')).toEqual([{ app, gitTag, date, body: '- a change', actor: 'alice' }]);
    const deployment = await lanes.result(ended.deployment ?? '');
    expect(deployment).toMatchObject({
      ...{ kind: 'release', environment: 'production', tag: imageTag, actor: 'alice', reason: 'because' },
      ...{ digests: { 'openverse-api': digestOf(request.tag) }, parent: { type: 'release', id } },
    });
  });

  it('can be found, and read, as soon as it is accepted', async () => {
    const { id } = await ask();
    expect(await releases.read(id)).toMatchObject({ id, state: 'running' });
    await releases.result(id);
    const { typedSearchAttributes } = await releases.handle(id).describe();
    const found = typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
    expect(Object.fromEntries(found)).toMatchObject({
      [SEARCH_ATTRIBUTE.app]: app,
      [SEARCH_ATTRIBUTE.kind]: 'release',
      [SEARCH_ATTRIBUTE.actor]: 'alice',
      [SEARCH_ATTRIBUTE.outcome]: 'succeeded',
    });
    expect(found.map(([name]) => name)).not.toContain(SEARCH_ATTRIBUTE.environment);
  });

  it('of an app without services does all of it but the deployment, and says so', async () => {
    const { id } = await ask({ releaseOnly: true });
    const ended = await releases.result(id);
    expect(ended.outcome).toBe('succeeded');
    expect(states(ended)).toEqual({ ...DONE, deploy: 'skipped' });
    expect(ended.steps.find(({ name }) => name === 'deploy')?.detail).toContain('to be deployed elsewhere');
    expect(order()).not.toContain('register');
    expect(inputs<PublishInput>('publishRelease')[0]).not.toHaveProperty('deployment');
  });

  it('of what production runs, verified, deploys nothing', async () => {
    const first = await ask();
    await releases.result(first.id);
    await eventually(async () =>
      expect((await lanes.view({ app, environment: 'production' })).live?.verified).toBe(true),
    );
    const { id } = await ask({ tag: first.request.tag, again: true });
    expect(states(await releases.result(id))).toEqual({ ...DONE, deploy: 'skipped' });
    expect(inputs('register')).toHaveLength(1);
  });

  it('of what production runs unverified is deployed', async () => {
    acts.verify = async () => ({ verified: false, detail: 'no endpoint' });
    const first = await ask();
    expect((await releases.result(first.id)).steps.find(({ name }) => name === 'deploy')?.detail).toContain(
      'could not be verified',
    );
    const { id } = await ask({ tag: first.request.tag, again: true });
    expect(states(await releases.result(id))).toEqual(DONE);
    expect(inputs('register')).toHaveLength(2);
  });
});

describe('a release that cannot be met', () => {
  it.each([
    ['validate', 'TAG_NOT_FOUND'],
    ['authorise', 'NOT_A_MAINTAINER'],
  ] as const)('at %s with %s is rejected, and its tag is free', async (activity, code) => {
    Object.assign(acts, { [activity]: failing(code, 'the reason') });
    const { id, request } = await ask();
    const ended = await releases.result(id);
    expect(ended).toMatchObject({
      state: 'finished',
      outcome: 'rejected',
      failure: { code, message: 'the reason' },
    });
    expect(order()).not.toContain('register');
    Object.assign(acts, releaseScript());
    expect(ended.failure?.exists).toEqual([]);
    await eventually(async () => expect((await releases.view(app)).released).toEqual([]));
    const again = await ask({ tag: request.tag });
    expect((await releases.result(again.id)).outcome).toBe('succeeded');
  });

  it('is bad: rejected, unless it is overridden', async () => {
    const tag = 'a-bad-one';
    const target = { app, environment: 'production' };
    const mark = { release: commitOf(tag), reason: 'it burns', by: 'dave', at: new Date().toISOString() };
    await lanes.markBad(mark, target);
    const { id } = await ask({ tag });
    const ended = await releases.result(id);
    expect(ended).toMatchObject({ outcome: 'rejected', failure: { step: 'validate', code: 'RELEASE_BAD' } });
    expect(ended.failure?.message).toContain('it burns');
    expect(inputs('tagImages')).toEqual([]);
    await eventually(async () => expect((await releases.view(app)).released).toEqual([]));
    const over = await ask({ tag, override: true, reason: 'mended outside' });
    expect((await releases.result(over.id)).outcome).toBe('succeeded');
  });

  it('holds images that were released under another tag: rejected, with the first release', async () => {
    const first = await ask({ tag: 'sha' });
    await releases.result(first.id);
    acts.validate = async () => releaseScript().validate({ tag: 'sha' });
    const { id } = await ask({ tag: 'latest' });
    const ended = await releases.result(id);
    expect(ended).toMatchObject({
      outcome: 'rejected',
      first: first.id,
      failure: { code: 'ALREADY_RELEASED' },
    });
    expect(ended.failure?.message).toContain(first.id);
    expect(inputs('tagImages')).toHaveLength(1);
    const again = await ask({ tag: 'latest', again: true });
    expect((await releases.result(again.id)).outcome).toBe('succeeded');
  });
});

describe('a step that fails', () => {
  const cases = [
    ['validate', 'validate', 'AWS_REFUSED'],
    ['tag', 'tagImages', 'TAG_CONFLICT'],
    ['deploy', 'register', 'DEPLOYMENT_FAILED'],
    ['publish', 'publishRelease', 'GITHUB_REFUSED'],
  ] as const;
  const fails = (activity: string): void => {
    Object.assign(acts, {
      [activity]: failing(
        activity === 'tagImages'
          ? 'TAG_CONFLICT'
          : activity === 'publishRelease'
            ? 'GITHUB_REFUSED'
            : 'AWS_REFUSED',
        'the reason',
      ),
    });
  };

  it.each(cases)('(%s) blocks it; a retry goes on there with the same tag', async (step, activity, code) => {
    fails(activity);
    const { id, imageTag } = await ask();
    const blocked = await blockedAt(id, step);
    expect(blocked).toMatchObject({
      blocked: { step, code, actions: ['retry', 'abandon'] },
      waitingFor: { code },
    });
    expect(blocked.blocked?.message).toContain('the reason');
    expect(states(blocked)[step]).toBe('failed');
    await eventually(async () => expect((await releases.view(app)).running).toBeUndefined());
    const before = calls.length;
    Object.assign(acts, releaseScript());
    await releases.retry(id);
    const ended = await releases.result(id);
    expect(ended).toMatchObject({ outcome: 'succeeded', imageTag, retries: 1, actor: 'alice' });
    expect(states(ended)).toEqual(DONE);
    // Who retries is asked for first, and what was done before is not done again.
    const after = calls.slice(before).map(({ name }) => name);
    expect(after[0]).toBe('authorise');
    expect(calls[before]?.input).toEqual({ actor: 'bob' });
    const done = {
      validate: [],
      tag: ['validate'],
      deploy: ['tagImages'],
      publish: ['tagImages', 'register'],
    }[step];
    for (const name of done.filter((one) => one !== 'validate')) expect(after).not.toContain(name);
    expect(new Set(inputs<TagImagesInput>('tagImages').map((input) => input.imageTag))).toEqual(
      new Set([imageTag]),
    );
    expect(inputs<TagImagesInput>('tagImages').at(-1)?.actor).toBe(
      ['validate', 'tag'].includes(step) ? 'bob' : 'alice',
    );
  });

  it.each(cases)('(%s) can be abandoned, and says what exists', async (step, activity, code) => {
    fails(activity);
    const { id, imageTag, gitTag, request } = await ask();
    await blockedAt(id, step);
    await releases.abandon(id);
    const ended = await releases.result(id);
    expect(ended).toMatchObject({ state: 'finished', outcome: 'abandoned', failure: { step, code } });
    expect(ended.failure?.message).toContain('Abandoned by carol: not worth it');
    const tagged = [`image tag openverse-api:${imageTag}`];
    const deployed = `deployment ${ended.deployment}`;
    expect(ended.failure?.exists).toEqual(
      {
        validate: [],
        tag: [`${tagged[0]} (perhaps)`],
        deploy: [...tagged, deployed],
        publish: [...tagged, deployed, `GitHub Release ${gitTag} (perhaps)`],
      }[step],
    );
    Object.assign(acts, releaseScript());
    const same = ask({ tag: request.tag });
    if (step === 'validate') expect((await releases.result((await same).id)).outcome).toBe('succeeded');
    else await expect(same).rejects.toMatchObject({ cause: { type: 'ALREADY_RELEASED', details: [{ id }] } });
  });

  it('again blocks it again, each time for one decision', async () => {
    acts.publishRelease = failing('GITHUB_REFUSED', 'no');
    const { id } = await ask();
    for (let i = 0; i < 3; i += 1) {
      await releases.until(id, ({ state, retries = 0 }) => state === 'blocked' && retries === i);
      await releases.retry(id);
    }
    const ended = await releases.until(id, ({ state, retries }) => state === 'blocked' && retries === 3);
    expect(ended.blocked?.step).toBe('publish');
    expect(inputs('register')).toHaveLength(1);
    await releases.abandon(id);
    await releases.result(id);
  });

  it('is not gone on with by one who is no maintainer any more', async () => {
    acts.publishRelease = failing('GITHUB_REFUSED', 'no');
    const { id } = await ask();
    await blockedAt(id, 'publish');
    acts.publishRelease = releaseScript().publishRelease;
    acts.authorise = failing('NOT_A_MAINTAINER', 'not a member');
    const before = inputs('publishRelease').length;
    await releases.retry(id, { actor: 'mallory' });
    const blocked = await releases.until(id, ({ blocked }) => blocked?.code === 'NOT_A_MAINTAINER');
    expect(blocked.blocked?.step).toBe('publish');
    expect(inputs('publishRelease')).toHaveLength(before);
    acts.authorise = releaseScript().authorise;
    await releases.retry(id);
    expect((await releases.result(id)).outcome).toBe('succeeded');
  });

  it('leaves nothing ticking while it is blocked', async () => {
    acts.tagImages = failing('TAG_CONFLICT', 'no');
    const { id } = await ask();
    await blockedAt(id, 'tag');
    await eventually(async () => expect((await releases.view(app)).running).toBeUndefined());
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { historyLength } = await releases.handle(id).describe();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await releases.handle(id).describe()).historyLength).toBe(historyLength);
    await releases.abandon(id);
    await releases.result(id);
  });
});

describe('its deployment', () => {
  it('that is rolled back blocks it, naming the deployment; the retry is another one', async () => {
    const { stabilise } = acts;
    acts.stabilise = async (input) => ({
      ...(await stabilise(input)),
      verdict: 'rolled-back',
      message: 'circuit breaker',
    });
    const { id } = await ask();
    const { deployment: first, blocked } = await blockedAt(id, 'deploy');
    expect(blocked).toMatchObject({ code: 'DEPLOYMENT_FAILED' });
    expect(blocked?.message).toContain(`${first} ended rolled-back: circuit breaker`);
    acts.stabilise = stabilise;
    await releases.retry(id);
    const ended = await releases.result(id);
    expect(ended.outcome).toBe('succeeded');
    expect(ended.deployment).not.toBe(first);
    expect((await lanes.result(ended.deployment ?? '')).actor).toBe('bob');
    expect(inputs<PublishInput>('publishRelease')[0]?.deployment).toBe(ended.deployment);
    expect(inputs('tagImages')).toHaveLength(1);
  });

  it('that a locked lane refuses blocks it with the lock', async () => {
    const target = { app, environment: 'production' };
    await lanes.lock('freeze', target);
    const { id } = await ask();
    const { blocked, deployment } = await blockedAt(id, 'deploy');
    expect(blocked).toMatchObject({ code: 'LOCKED' });
    expect(blocked?.message).toContain('freeze');
    expect(deployment).toBeUndefined();
    await lanes.unlock(target);
    await releases.retry(id);
    expect((await releases.result(id)).outcome).toBe('succeeded');
    expect(inputs('register')).toHaveLength(1);
  });

  it('of a release that was marked bad meanwhile is let through by a retry that overrides', async () => {
    acts.tagImages = failing('TAG_CONFLICT', 'no');
    const { id, request } = await ask();
    await blockedAt(id, 'tag');
    acts.tagImages = releaseScript().tagImages;
    const at = new Date().toISOString();
    const mark = {
      release: commitOf(request.tag),
      tag: (await releases.read(id)).imageTag,
      reason: 'burns',
      by: 'dave',
      at,
    };
    await lanes.markBad(mark, { app, environment: 'production' });
    await releases.retry(id);
    expect((await blockedAt(id, 'deploy')).blocked?.code).toBe('RELEASE_BAD');
    await releases.retry(id, { override: true });
    expect((await releases.result(id)).outcome).toBe('succeeded');
  });

  it('that was terminated is seen by the watchdog', async () => {
    const held = gate();
    const { look } = acts;
    acts.look = async (input) => {
      await held.hold();
      return look(input);
    };
    const { id } = await ask();
    const { deployment = '' } = await releases.until(id, (one) => one.deployment !== undefined);
    await lanes.handle(deployment).terminate('break glass');
    held.open();
    const { blocked } = await blockedAt(id, 'deploy');
    expect(blocked?.message).toContain(deployment);
    await releases.abandon(id);
    await releases.result(id);
  });

  it('is asked for once, whatever becomes of the answer', async () => {
    const { id } = await ask();
    const ended = await releases.result(id);
    const asked = inputs<DeploymentRequest>('register').map((input) => input.id);
    expect(asked).toEqual([ended.deployment]);
    expect(ended.deployment).toBe(`production.${app}.rel${ended.date.replaceAll('.', '')}a1`);
  });
});

describe('the changelog', () => {
  it('that is refused fails nothing, and the warning says how to do it by hand', async () => {
    acts.openChangelog = failing('GITHUB_REFUSED', 'no rights');
    const { id, gitTag } = await ask();
    const ended = await releases.result(id);
    expect(ended).toMatchObject({ outcome: 'succeeded', state: 'finished' });
    expect(states(ended)).toEqual({ ...DONE, changelog: 'failed' });
    expect(ended.warnings.map(({ code }) => code)).toEqual(['CHANGELOG']);
    expect(ended.warnings[0]?.message).toMatch(new RegExp(`no rights.*By hand.*changelog/${gitTag}`));
  });

  it('that is late holds nothing up: people see the outcome, the next release goes on, it comes by itself', async () => {
    let down = true;
    const { openChangelog } = acts;
    acts.openChangelog = async (input) => {
      if (down) throw ApplicationFailure.create({ type: 'GITHUB_DOWN', message: 'no answer' });
      return openChangelog(input);
    };
    const { id } = await ask();
    const shown = await releases.until(id, ({ state }) => state === 'finished');
    expect(shown).toMatchObject({ outcome: 'succeeded', warnings: [{ code: 'CHANGELOG' }] });
    expect(states(shown)['changelog']).toBe('running');
    await eventually(async () => expect((await releases.view(app)).running).toBeUndefined());
    down = false;
    const ended = await releases.result(id);
    expect(ended).toMatchObject({
      outcome: 'succeeded',
      warnings: [],
      pullRequest: expect.any(String) as string,
    });
    expect(states(ended)).toEqual(DONE);
  });

  it('that never comes is given up', async () => {
    acts.openChangelog = async () => {
      throw ApplicationFailure.create({ type: 'GITHUB_DOWN', message: 'no answer' });
    };
    const { id } = await ask();
    const ended = await releases.result(id);
    expect(ended.outcome).toBe('succeeded');
    expect(states(ended)['changelog']).toBe('failed');
    expect(ended.warnings[0]?.message).toContain('By hand');
  }, 30_000);
});

describe('cancelling it in Temporal', () => {
  it('abandons it once no step runs', async () => {
    const held = gate();
    acts.tagImages = async () => {
      await held.hold();
      return { put: [] };
    };
    const { id, imageTag } = await ask();
    await eventually(() => expect(inputs('tagImages')).toHaveLength(1));
    await releases.handle(id).cancel();
    held.open();
    const ended = await releases.result(id);
    expect(ended).toMatchObject({
      outcome: 'abandoned',
      failure: { exists: [`image tag openverse-api:${imageTag}`] },
    });
    expect(order()).not.toContain('register');
  });

  it('abandons one that is blocked', async () => {
    acts.tagImages = failing('TAG_CONFLICT', 'no');
    const { id } = await ask();
    await blockedAt(id, 'tag');
    await releases.handle(id).cancel();
    expect(await releases.result(id)).toMatchObject({ outcome: 'abandoned' });
  });
});

describe('its history', () => {
  it('replays: done, blocked and retried, abandoned, and the entity beside them', async () => {
    const done = await ask();
    await releases.result(done.id);
    acts.publishRelease = failing('GITHUB_REFUSED', 'no');
    const [retried, abandoned] = [await ask(), await ask()];
    for (const { id } of [retried, abandoned]) await blockedAt(id, 'publish');
    acts.publishRelease = releaseScript().publishRelease;
    // Sent twice it is one retry.
    await Promise.all([releases.retry(retried.id), releases.retry(retried.id)]);
    expect(await releases.result(retried.id)).toMatchObject({ outcome: 'succeeded', retries: 1 });
    await releases.abandon(abandoned.id);
    await releases.result(abandoned.id);
    const handles = [
      ...[done, retried, abandoned].map(({ id }) => releases.handle(id)),
      releases.entity(app),
    ];
    for (const handle of handles) {
      const history = await handle.fetchHistory();
      await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, handle.workflowId);
    }
  });
});
