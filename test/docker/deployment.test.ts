/**
 * The whole of Sluice on real containers: `docker build` of the sample repository, a push to ministack's registry,
 * its ECS and its circuit breaker. A probe asks for the version all the time.
 */
import { UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { serviceOf } from '../../sandbox/settings.js';
import type { StackOn } from '../../sandbox/stack.js';
import { startStackOn } from '../../sandbox/stack.js';
import { startMinistackPart } from './ministack-part.js';
import type { MinistackPart } from './ministack-part.js';
import { until } from '../e2e/site.js';
import { personAt } from '../support/people.js';
import type { Person } from '../support/people.js';
import { startProbe, unbroken } from './probe.js';
import type { Probe } from './probe.js';
import { refOf as refOfPlace, runsExactly } from './running.js';
import type { App } from './running.js';

let stack: StackOn<MinistackPart>;
let person: Person;
const refOf = (app: App) => refOfPlace({ app, environment: 'staging' });
const revisions = (app: App): Promise<string[]> => stack.aws.revisions(serviceOf(app, 'staging'));
const commit = (at: number): string => stack.sample.commits.good.at(at) ?? '';

beforeAll(async () => {
  stack = await startStackOn({}, (input) => startMinistackPart(input, ['staging-']));
  person = personAt(stack.apiUrl);
  expect(stack.usesDocker).toBe(true);
});
afterAll(() => stack?.close());

const probe = (app: App): Probe => startProbe(`${stack.aws.serviceUrl(refOf(app))}/version.json`);

/** Each frontend test has a probe of its own; api's watches over several. */
let watching: Probe | undefined;
afterEach(() => watching?.stop());

const runsWhatWasBuilt = (app: App, what: { revision?: string; tag: string }) =>
  runsExactly(stack.aws, { app, environment: 'staging', ...what });

describe('api, two images: v1, v2, and one that does not start', () => {
  let throughout: Probe | undefined;
  let v2: string | undefined;
  beforeAll(() => {
    throughout = probe('api');
  });
  afterAll(() => throughout?.stop());

  it.each([
    ['v1', 0],
    ['v2', 1],
  ])('%s is built, pushed, rolled out and verified', async (_, at) => {
    const before = await revisions('api');
    const ended = await person.ended(await person.deploy('api', commit(at)));
    expect(ended).toMatchObject({ outcome: 'succeeded', verified: true, release: commit(at) });
    expect(await revisions('api')).toEqual([...before, ended.revision]);
    await runsWhatWasBuilt('api', { revision: ended.revision, tag: commit(at) });
    v2 = ended.revision;
  });

  it('what ECS rolls back is told as a failure; the rollback makes no revision', async () => {
    const before = await revisions('api');
    const ended = await person.ended(await person.deploy('api', stack.sample.commits.broken.atStart));
    expect(ended).toMatchObject({
      outcome: 'rolled-back',
      failure: { step: 'stabilise', code: 'ROLLED_BACK' },
    });
    expect(await revisions('api')).toEqual([...before, ended.revision]);
    expect((await stack.aws.service(refOf('api'))).taskDefinition).toBe(v2);
    expect(ended.dossier?.stoppedTasks[0]?.exitCodes).toMatchObject({ django: 1 });
    expect(ended.dossier?.events.map(({ message }) => message).join('\n')).toContain('rolled back');
    await runsWhatWasBuilt('api', { revision: v2, tag: commit(1) });
  });

  it('not one request failed during all of it', async () => {
    expect(throughout).toBeDefined();
    if (throughout) unbroken(await throughout.stop(), [stack.sample.commits.first, commit(0), commit(1)]);
  });
});

describe('frontend, one image', () => {
  it('a worker dies by SIGKILL in the middle of the watch: deployed once, and verified', async () => {
    watching = probe('frontend');
    const before = await revisions('frontend');
    const id = await person.deploy('frontend', commit(0));
    await person.watched(id);
    await stack.processes.worker.kill();
    await stack.start('worker');
    const ended = await person.ended(id);
    expect(ended).toMatchObject({ outcome: 'succeeded', verified: true });
    expect(await revisions('frontend')).toEqual([...before, ended.revision]);
    await runsWhatWasBuilt('frontend', { revision: ended.revision, tag: commit(0) });
    unbroken(await watching.stop(), [stack.sample.commits.first, commit(0)]);
  });

  it('a stop in the middle of a rollout goes back by UpdateService: the old version is served', async () => {
    watching = probe('frontend');
    const before = await revisions('frontend');
    const { taskDefinition: old } = await stack.aws.service(refOf('frontend'));
    const id = await person.deploy('frontend', commit(2));
    await person.watched(id);
    await person.stop(id);
    const ended = await person.ended(id);
    expect(ended).toMatchObject({ outcome: 'stopped', failure: { step: 'stabilise', code: 'STOPPED' } });
    expect(await revisions('frontend')).toEqual([...before, ended.revision]);
    const service = await stack.aws.service(refOf('frontend'));
    expect(service).toMatchObject({ taskDefinition: old, runningCount: 2 });
    await runsWhatWasBuilt('frontend', { revision: old, tag: commit(0) });
    const { failures, releases } = await watching.stop();
    expect(failures).toEqual([]);
    expect(releases.at(-1)).toBe(commit(0));
  });

  it('the probe does tell of requests that fail', async () => {
    const { cluster, service } = refOf('frontend');
    const scale = (desiredCount: number) =>
      stack.aws.ecs.send(new UpdateServiceCommand({ cluster, service, desiredCount }));
    const gap = (watching = probe('frontend'));
    await scale(0);
    await until('a request fails', () => gap.seen.failures.length > 0);
    expect(gap.seen.failures[0]).toMatch(/503/);
  });
});

it('what does not build has changed nothing', async () => {
  const before = await revisions('api');
  watching = probe('api');
  const ended = await person.ended(await person.deploy('api', stack.sample.commits.broken.build));
  expect(ended).toMatchObject({ outcome: 'failed', failure: { step: 'build', code: 'BUILD_FAILED' } });
  expect(JSON.stringify(ended.dossier)).toContain('forgotten.txt');
  expect(await revisions('api')).toEqual(before);
  const { failures, releases } = await watching.stop();
  expect({ failures, releases }).toEqual({ failures: [], releases: [commit(1)] });
});
