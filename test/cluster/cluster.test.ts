/**
 * The topology of `docker-compose.yml`, for real: Temporal on Postgres, two workers, two APIs. Deployments and
 * promotions go on while one of each is killed, and while Temporal itself is.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingSearchAttributes } from '../../clients/search-attributes.js';
import { readSchedule } from '../../clients/reconcile-schedule.js';
import type { DeploymentView } from '../../domain/view.js';
import { createTemporal } from '../../clients/temporal.js';
import { freePort } from '../../sandbox/ports.js';
import type { RunningProcess } from '../../sandbox/processes.js';
import type { Answer, Lane, Site } from '../e2e/site.js';
import type { PromotionsAt } from '../e2e/promotions-at.js';
import { promotionsAt } from '../e2e/promotions-at.js';
import {
  API_STAGING,
  FRONTEND_PRODUCTION,
  FRONTEND_STAGING,
  LANES,
  newTag,
  openSite,
  until,
} from '../e2e/site.js';
import type { Cluster } from './temporal-cluster.js';
import { startCluster } from './temporal-cluster.js';

let cluster: Cluster;
let site: Site;
let workers: RunningProcess[];
let second: { url: string; process: RunningProcess };

beforeAll(async () => {
  cluster = await startCluster();
  site = await openSite({
    startTemporal: () => Promise.resolve(cluster),
    // Long enough for something to be killed in the middle.
    timings: { drain: 4_000 },
  });
  workers = [site.processes.worker, await site.start('worker')];
  second = await anotherApi();
  await Promise.all(LANES.map((lane) => site.calm(lane)));
}, 300_000);
afterAll(async () => {
  await site?.close();
  await cluster?.close();
});

async function anotherApi(): Promise<{ url: string; process: RunningProcess }> {
  const port = await freePort();
  const process = await site.start('api', { HOST: '127.0.0.1', PORT: String(port) });
  return { url: `http://127.0.0.1:${port}`, process };
}

/** A loaded machine answers late: then the same key is sent again, as the answer says. @returns the id */
async function deploy(lane: Lane, at = site.apiUrl): Promise<string> {
  const asked = { key: newTag(), body: { ...lane, tag: site.images(lane.app) }, at };
  const { body } = await until('it is accepted', async () => {
    const answer = await site.ask('POST', '/api/deployments', asked);
    if (answer.status === 202) return answer;
    expect(answer.status).toBe(503);
    return false;
  });
  return body.id as string;
}

/** Its frontend answers before all of its shards do: until every deployment can be read. */
async function temporalIsBack(ids: string[]): Promise<void> {
  const paths = ['/readyz', ...ids.map((id) => `/api/deployments/${id}`)];
  for (const path of paths) {
    await until(`${path} is back`, async () => (await site.ask('GET', path)).status === 200, 120_000);
  }
}

/** A read that comes in the wrong moment is asked again. */
const ended = (id: string): Promise<DeploymentView> =>
  until(
    `${id} ends`,
    async () => {
      const { status, body } = await site.ask('GET', `/api/deployments/${id}`);
      return status === 200 && (body as DeploymentView).state === 'finished' && (body as DeploymentView);
    },
    240_000,
  );

/** Succeeded, verified, once: one revision and one UpdateService each. */
async function allOnce(ids: string[], ledgers: (() => { registered: string[]; began: string[] })[]) {
  for (const one of await Promise.all(ids.map(ended)))
    expect(one).toMatchObject({ outcome: 'succeeded', verified: true });
  for (const ledger of ledgers) {
    expect(ledger().registered).toHaveLength(1);
    expect(ledger().began).toEqual(['UpdateService']);
  }
}

describe('a cluster that had nothing', () => {
  it('was prepared by the workers, whichever came first', async () => {
    const temporal = createTemporal({ address: cluster.address });
    try {
      expect(await missingSearchAttributes(temporal)).toEqual([]);
      expect(await readSchedule(temporal)).toEqual({ asWanted: true, paused: false });
    } finally {
      await temporal.close();
    }
  });

  it('lists what was deployed, by any of the APIs', async () => {
    const ledger = site.ledger(API_STAGING);
    const id = await deploy(API_STAGING, second.url);
    await allOnce([id], [ledger]);
    for (const at of [site.apiUrl, second.url]) {
      await until('it is listed', async () => {
        const { body } = await site.ask('GET', '/api/deployments?outcome=succeeded&app=api', { at });
        return (body.items as { id: string }[]).some((one) => one.id === id);
      });
    }
  });
});

/** Staging and production are equal there: a merge starts at once. */
describe('a promotion goes on', () => {
  it('while a worker is killed on staging, an API before the approval, and Temporal on production', async () => {
    const road = promotionsAt(site, 'frontend');
    const ledgers = [site.ledger(FRONTEND_STAGING), site.ledger(FRONTEND_PRODUCTION)];
    const sha = await road.merge('Goes on whatever dies');
    await road.reaches(sha, 'staging');
    await workers[0]?.kill();
    workers[0] = await site.start('worker');
    await road.unlocked(sha);

    await second.process.kill();
    second = await anotherApi();
    const { production } = await approved(road, sha);
    await site.watched(production);
    await cluster.kill();
    await cluster.start();
    await temporalIsBack([production]);
    await allOnce([production], ledgers);
    const done = await road.reaches(sha, 'promoted');
    expect(done).toMatchObject({ release: sha, approval: { by: 'alice', release: sha } });
    expect(await site.release(FRONTEND_PRODUCTION)).toBe(sha);
  });

  async function approved(road: PromotionsAt, sha: string): Promise<{ production: string }> {
    await road.approve(sha);
    const id = await until('it has a deployment', async () => (await road.promotion(sha))?.production);
    await until('that can be read', async () => {
      return (await site.ask('GET', `/api/deployments/${id}`)).status === 200;
    });
    return { production: id };
  }
});

describe('deployments go on', () => {
  it('while a worker is killed', async () => {
    const ledgers = LANES.map((lane) => site.ledger(lane));
    const ids = await Promise.all(LANES.map((lane) => deploy(lane)));
    await Promise.all(ids.map((id) => site.watched(id)));
    await workers[0]?.kill();
    await allOnce(ids, ledgers);
    workers[0] = await site.start('worker');
  });

  it('while an API is killed: the other one tells of them, and takes the same key', async () => {
    const ledger = site.ledger(FRONTEND_STAGING);
    const asked = { key: 'one-key-two-apis', body: { ...FRONTEND_STAGING, tag: site.images('frontend') } };
    const taken = (at: string): Promise<Answer> =>
      until('it is taken', async () => {
        const answer = await site.ask('POST', '/api/deployments', { ...asked, at });
        return answer.status === 202 && answer;
      });
    const first = await taken(second.url);
    await second.process.kill();
    expect((await taken(site.apiUrl)).body.id).toBe(first.body.id);
    await allOnce([first.body.id as string], [ledger]);
    second = await anotherApi();
  });

  it('while Temporal is killed and started again', async () => {
    const ledgers = LANES.map((lane) => site.ledger(lane));
    const ids = await Promise.all(LANES.map((lane) => deploy(lane)));
    await Promise.all(ids.map((id) => site.watched(id)));
    await cluster.kill();
    const asked = { key: 'while-it-is-down', body: { ...API_STAGING, tag: site.images('api') } };
    const refused = await site.ask('POST', '/api/deployments', asked);
    expect(refused).toMatchObject({ status: 503, body: { error: { code: 'TEMPORAL_DOWN' } } });
    expect((await site.ask('GET', '/healthz')).status).toBe(200);
    await cluster.start();
    await temporalIsBack(ids);
    await allOnce(ids, ledgers);

    const ledger = site.ledger(API_STAGING);
    const accepted = await until('the same key is taken', async () => {
      const answer = await site.ask('POST', '/api/deployments', asked);
      return answer.status === 202 && answer;
    });
    await allOnce([accepted.body.id as string], [ledger]);
  });

  it('while one of each is killed at once', async () => {
    const ledgers = LANES.map((lane) => site.ledger(lane));
    const ids = await Promise.all(LANES.map((lane) => deploy(lane)));
    await Promise.all(ids.map((id) => site.watched(id)));
    await Promise.all([workers[1]?.kill(), second.process.kill(), cluster.kill()]);
    await cluster.start();
    await temporalIsBack(ids);
    await allOnce(ids, ledgers);
  });
});
