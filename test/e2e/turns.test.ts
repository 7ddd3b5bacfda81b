/** Rules 1, 9 and 11: deployments of a service take turns, and whatever is waited for is said. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Standing } from '../../sandbox/aws/index.js';
import type { Lane, Site } from './site.js';
import {
  API_PRODUCTION,
  API_STAGING,
  FRONTEND_PRODUCTION,
  FRONTEND_STAGING,
  LANES,
  openSite,
  refOf,
  START_MS,
  until,
} from './site.js';

let site: Site;

beforeAll(async () => {
  site = await openSite();
  await Promise.all(LANES.map((lane) => site.calm(lane)));
}, START_MS);
afterAll(() => site?.close());
afterEach(async () => {
  site.aws.clearFaults();
  await site.github.up();
  site.github.addMember('bob');
  for (const lane of LANES) freeze(lane, false);
});

const freeze = (lane: Lane, frozen: boolean): void =>
  void site.aws.behave({ ...refOf(lane), behaviour: { frozen } });
const good = (lane: Lane, asked?: Parameters<Site['deploy']>[2]): Promise<string> =>
  site.deploy(lane, { tag: site.images(lane.app) }, asked);

/** Looks at a service all the time: whether each deployment there was stable before the next one began. */
function watchTurns(lane: Lane): () => string[] {
  const stable = new Set<string | undefined>();
  const ledger = site.ledger(lane);
  const look = ({ deployment, stableAt }: Standing): void => {
    if (stableAt !== undefined) stable.add(deployment);
  };
  const timer = setInterval(() => look(site.aws.standing(refOf(lane))), 10);
  return () => {
    clearInterval(timer);
    look(site.aws.standing(refOf(lane)));
    return ledger()
      .history.map(({ deployment }) => deployment)
      .filter((deployment) => !stable.has(deployment));
  };
}

describe('turns', { timeout: 90_000 }, () => {
  it('two at once to one service: the second begins when the first is stable', async () => {
    const neverStable = watchTurns(API_STAGING);
    const ledger = site.ledger(API_STAGING);
    const ids = await Promise.all([good(API_STAGING), good(API_STAGING)]);
    const ended = await Promise.all(ids.map((id) => site.ended(id)));
    expect(ended.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded']);
    expect(neverStable()).toEqual([]);
    const { began, registered, history } = ledger();
    expect(began).toEqual(['UpdateService', 'UpdateService']);
    expect(registered).toHaveLength(2);
    const [first, second] = ended.sort((a, b) => (a.startedAt ?? '').localeCompare(b.startedAt ?? ''));
    expect(second?.startedAt && first?.finishedAt && second.startedAt >= first.finishedAt).toBe(true);
    expect(history[1]?.at).toBeGreaterThanOrEqual(Date.parse(first?.finishedAt ?? ''));
  });

  it('ten at once to all services there are: each once, never two at once', async () => {
    const watches = LANES.map((lane) => ({ lane, neverStable: watchTurns(lane), ledger: site.ledger(lane) }));
    const lanes = Array.from({ length: 10 }, (_, at) => LANES[at % LANES.length]!);
    const ids = await Promise.all(lanes.map((lane) => good(lane)));
    const ended = await Promise.all(ids.map((id) => site.ended(id)));
    expect(ended.map(({ outcome, verified }) => [outcome, verified])).toEqual(
      lanes.map(() => ['succeeded', true]),
    );
    for (const { lane, neverStable, ledger } of watches) {
      expect(neverStable()).toEqual([]);
      const count = lanes.filter((one) => one === lane).length;
      expect(ledger().began).toEqual(Array.from({ length: count }, () => 'UpdateService'));
      expect(ledger().registered).toHaveLength(count);
    }
  });
});

describe('somebody else deploys', { timeout: 60_000 }, () => {
  const foreign = (lane: Lane): string => {
    const [family] = [refOf(lane).service];
    const { registry } = site.aws;
    const image = `${registry}/openverse-${lane.app}:before-sluice`;
    const container = lane.app === 'api' ? 'django' : 'nuxt';
    const containerDefinitions = [
      { name: container, image, portMappings: [{ containerPort: 8080, hostPort: 0 }] },
    ];
    const { arn } = site.aws.taskDefinition({ family, containerDefinitions });
    return arn;
  };

  it('over us: superseded, and theirs is left alone (trap 3)', async () => {
    const lane = FRONTEND_STAGING;
    freeze(lane, true);
    const id = await good(lane);
    await site.watched(id);
    const theirs = foreign(lane);
    site.aws.resetCalls();
    site.aws.deploy({ ...refOf(lane), taskDefinition: theirs });
    const { outcome, supersededBy, failure } = await site.ended(id);
    expect({ outcome, supersededBy, code: failure?.code }).toEqual({
      ...{ outcome: 'superseded', supersededBy: theirs, code: 'SUPERSEDED' },
    });
    freeze(lane, false);
    await site.calm(lane);
    expect(site.aws.standing(refOf(lane)).revision).toBe(theirs);
    const counts = site.aws.counts();
    expect([counts['ecs:UpdateService'], counts['ecs:StopServiceDeployment']]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('between our look and our update: superseded, nothing is sent (trap 3)', async () => {
    const lane = FRONTEND_STAGING;
    const ledger = site.ledger(lane);
    site.aws.fault({ operation: 'ecs:RegisterTaskDefinition', kind: 'hold-after', delayMs: 1_000, times: 1 });
    const held = site.struck('ecs:RegisterTaskDefinition');
    const id = await good(lane);
    await held;
    const theirs = foreign(lane);
    site.aws.deploy({ ...refOf(lane), taskDefinition: theirs });
    const { outcome, supersededBy } = await site.ended(id);
    expect({ outcome, supersededBy }).toEqual({ outcome: 'superseded', supersededBy: theirs });
    expect(ledger().began).toEqual(['sandbox']);
  });

  it('before us: theirs is waited for, the API says so, and then ours goes on', async () => {
    const lane = FRONTEND_PRODUCTION;
    freeze(lane, true);
    const theirs = foreign(lane);
    site.aws.deploy({ ...refOf(lane), taskDefinition: theirs });
    const ledger = site.ledger(lane);
    const id = await good(lane);
    const { waitingFor, step } = await site.becomes(
      id,
      'waiting',
      ({ waitingFor: why }) => why !== undefined,
    );
    expect({ step, code: waitingFor?.code }).toEqual({ step: 'look', code: 'FOREIGN_DEPLOYMENT' });
    expect(waitingFor?.detail).toContain(theirs.split('/').at(-1));
    expect(waitingFor?.who).toBeTruthy();
    expect(ledger().registered).toEqual([]);
    freeze(lane, false);
    const { outcome, verified, warnings } = await site.ended(id);
    expect({ outcome, verified }).toEqual({ outcome: 'succeeded', verified: true });
    expect(warnings.map(({ code }) => code)).toContain('DRIFT');
    expect(ledger().began).toEqual(['UpdateService']);
  });
});

describe('who may', { timeout: 60_000 }, () => {
  /** Bob's deployment waits behind alice's. */
  async function bobsBehindAlices(lane: Lane): Promise<{ first: string; id: string }> {
    freeze(lane, true);
    const first = await good(lane);
    await site.watched(first);
    const id = await good(lane, { as: 'bob' });
    await site.becomes(id, 'queued', ({ position }) => position === 1);
    return { first, id };
  }

  it('removed from the team while waiting: rejected before anything is written', async () => {
    const lane = API_PRODUCTION;
    const { first, id } = await bobsBehindAlices(lane);
    site.github.removeMember('bob');
    const ledger = site.ledger(lane);
    freeze(lane, false);
    expect((await site.ended(first)).outcome).toBe('succeeded');
    const { outcome, failure } = await site.ended(id);
    expect({ outcome, code: failure?.code }).toEqual({ outcome: 'rejected', code: 'NOT_A_MAINTAINER' });
    expect(ledger()).toEqual({ registered: [], began: [], history: [] });
  });

  it('GitHub is down and there is no answer to go by: it waits, says so, and goes on', async () => {
    // A worker that was just started has never asked for bob.
    const { worker } = site.newest;
    await site.revive('worker');
    await worker.stop();
    const lane = API_STAGING;
    const { first, id } = await bobsBehindAlices(lane);
    await site.github.down();
    const ledger = site.ledger(lane);
    freeze(lane, false);
    expect((await site.ended(first)).outcome).toBe('succeeded');
    const wanted = ({ waitingFor }: { waitingFor?: { code: string } }): boolean =>
      waitingFor?.code === 'GITHUB_DOWN';
    const { step } = await site.becomes(id, 'waiting for GitHub', wanted);
    expect(step).toBe('register');
    expect(ledger().registered).toEqual([]);
    await site.github.up();
    expect((await site.ended(id)).outcome).toBe('succeeded');
    expect(ledger().began).toEqual(['UpdateService']);
  });

  it('GitHub is down: an answer of the last 24 hours counts', async () => {
    const lane = FRONTEND_STAGING;
    expect((await site.ended(await good(lane))).outcome).toBe('succeeded');
    await site.github.down();
    const { outcome, verified } = await site.ended(await good(lane));
    expect({ outcome, verified }).toEqual({ outcome: 'succeeded', verified: true });
    await until('GitHub is up again', async () => (await site.github.up(), true));
  });
});
