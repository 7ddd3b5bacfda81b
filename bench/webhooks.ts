/**
 * How many webhooks the API makes durable, beside the bare Temporal client that starts a workflow for each. In turns
 * on the same server, with no worker: both only start.
 */
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:http';
import { text as readAll } from 'node:stream/consumers';
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { deliveryWorkflowId } from '../domain/ids.js';
import type { Delivered } from '../domain/messages.js';
import { QUEUE, WORKFLOW } from '../domain/messages.js';
import { deliveredOf } from '../domain/merges/webhook.js';
import { SECRETS } from '../sandbox/settings.js';
import { processorMs } from './machine.js';
import type { Bench } from './site.js';
import { until, withBench } from './site.js';
import { median, p99, sum } from './statistics.js';
import type { Report } from './table.js';
import { seconds, show } from './table.js';
import { together } from './together.js';

/** So many are under way at a time, on both sides. */
const AT_ONCE = 16;
/** Both sides, before anything counts. */
const WARM_UP = 300;

interface Push {
  guid: string;
  body: string;
  signature: string;
  delivered: Delivered;
}

interface Turn {
  /** Of what was accepted. */
  perSecond: number;
  /** Not accepted in the API's own 3 s. */
  refused: number;
  p99Ms: number;
  /** Processor time for each, of who starts the workflow: the API, or this process. */
  starterMs: number;
  /** Of Temporal. */
  serverMs: number;
}

interface Side {
  /** @returns false where Temporal did not answer in time: it may be sent again */
  make: (push: Push) => Promise<boolean>;
  /** Process id of who starts the workflow. */
  starter: number;
  server: number;
}

interface Round {
  ours: Turn;
  bare: Turn;
}

/** @param each webhooks, and workflows, of a round */
export async function webhooks({ rounds, each }: { rounds: number; each: number }): Promise<Report> {
  return withBench({}, async (bench) => {
    await Promise.all([bench.processes.worker.stop(), bench.processes['build-worker'].stop()]);
    const template = await realPush(bench);
    const pushes = (count: number): Push[] => Array.from({ length: count }, () => pushLike(template));
    const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
    const [ours, bare] = [throughTheApi(bench, agent), byTheClient(bench)];
    for (const side of [ours, bare]) await turn(pushes(WARM_UP), side);
    const all: Round[] = [];
    for (let round = 0; round < rounds; round += 1) {
      // Each is the first as often as the other: what the server slows down as it fills strikes both.
      const oursFirst = round % 2 === 0;
      const first = await turn(pushes(each), oursFirst ? ours : bare);
      const second = await turn(pushes(each), oursFirst ? bare : ours);
      all.push(oursFirst ? { ours: first, bare: second } : { ours: second, bare: first });
    }
    const refused = sum(all.flatMap((round) => [round.ours.refused, round.bare.refused]));
    // The one that the template is of, too. One that was not answered in time may be there all the same.
    await allThere(bench, 1 + 2 * each * rounds - refused);
    agent.destroy();
    return report(all, { each, bytes: template.length });
  });
}

/** As the stand-in of GitHub really sends it. */
async function realPush({ github }: Bench): Promise<string> {
  const { sha } = await github.mergePullRequest({
    title: 'A template',
    author: 'ann',
    app: 'api',
    by: 'alice',
  });
  await github.webhooks.settled();
  const found = github.webhooks
    .deliveries('push')
    .find(({ body }) => (JSON.parse(body) as { after?: string }).after === sha);
  if (found?.answer?.statusCode !== 202) throw new Error('The push was not taken');
  return found.body;
}

function pushLike(template: string): Push {
  const [before, after] = [randomBytes(20).toString('hex'), randomBytes(20).toString('hex')];
  const payload = { ...(JSON.parse(template) as Record<string, unknown>), before, after };
  const body = JSON.stringify(payload);
  const delivered = deliveredOf('push', payload, { branch: 'main' });
  if ('ignored' in delivered) throw new Error(delivered.ignored);
  const signature = `sha256=${createHmac('sha256', SECRETS.webhook).update(body).digest('hex')}`;
  return { guid: randomUUID(), body, signature, delivered };
}

/** Over connections that are kept: at GitHub the sender takes nothing of our cores. */
const throughTheApi = ({ apiUrl, processes, temporal }: Bench, agent: Agent): Side => ({
  starter: processes.api.pid,
  server: temporal.pid,
  make: async ({ guid, body, signature }) => {
    const { status, text } = await post(`${apiUrl}/webhooks/github`, agent, {
      body,
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'push',
        'x-github-delivery': guid,
        'x-hub-signature-256': signature,
      },
    });
    if (status === 202 || status === 503) return status === 202;
    throw new Error(`Not taken: ${status} ${text}`);
  },
});

/** As little as can be between us and the API: `fetch` takes a multiple. */
function post(
  url: string,
  agent: Agent,
  { body, headers }: { body: string; headers: Record<string, string> },
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const length = Buffer.byteLength(body);
    const options = { method: 'POST', agent, headers: { ...headers, 'content-length': length } };
    const answered = (response: IncomingMessage): void => {
      readAll(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
    };
    request(url, options, answered).once('error', reject).end(body);
  });
}

/** What the API asks of Temporal, and nothing else. */
const byTheClient = ({ workflows, temporal }: Bench): Side => ({
  starter: process.pid,
  server: temporal.pid,
  make: async ({ guid, delivered }) => {
    await workflows.start(WORKFLOW.delivery, {
      workflowId: deliveryWorkflowId(guid),
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      taskQueue: QUEUE.main,
      args: [delivered],
    });
    return true;
  },
});

async function turn(pushes: readonly Push[], { make, starter, server }: Side): Promise<Turn> {
  const used = (): Promise<[number, number]> => Promise.all([processorMs(starter), processorMs(server)]);
  const [starterBefore, serverBefore] = await used();
  const began = performance.now();
  let accepted = 0;
  const took = await together(pushes, AT_ONCE, async (push) => {
    if (await make(push)) accepted += 1;
  });
  const perSecond = (accepted * 1000) / (performance.now() - began);
  const [starterAfter, serverAfter] = await used();
  return {
    ...{ perSecond, refused: pushes.length - accepted, p99Ms: p99(took) },
    starterMs: (starterAfter - starterBefore) / pushes.length,
    serverMs: (serverAfter - serverBefore) / pushes.length,
  };
}

/** Visibility lags. @throws where one that was answered is not there */
const allThere = ({ workflows }: Bench, atLeast: number): Promise<unknown> =>
  until(`Temporal holds ${atLeast} deliveries`, async () => {
    const { count } = await workflows.count(`WorkflowType = '${WORKFLOW.delivery}'`);
    return count >= atLeast;
  });

const ratioOf = ({ ours, bare }: Round): number => ours.perSecond / bare.perSecond;

function report(all: readonly Round[], { each, bytes }: { each: number; bytes: number }): Report {
  const of = (side: keyof Round, what: keyof Turn): number => median(all.map((round) => round[side][what]));
  return {
    part: 'webhooks',
    title: 'Webhooks made durable, beside the bare Temporal client',
    how: [
      `${all.length} rounds; in each, in turn, ${each} signed pushes (${bytes} bytes) of distinct deliveries to \`POST /webhooks/github\` until they are answered with 202, and ${each} workflows that the bare client starts with the same options and input; each side is the first in every other round. ` +
        `${AT_ONCE} at a time on both sides, no worker. The signatures are made before. At the end Temporal is asked whether it holds them all.`,
    ],
    figures: [
      {
        what: 'ours : bare, median of the rounds',
        value: median(all.map(ratioOf)),
        unit: 'times',
        atLeast: 0.8,
      },
      { what: 'ours, median', value: of('ours', 'perSecond'), unit: '/s' },
      { what: 'bare client, median', value: of('bare', 'perSecond'), unit: '/s' },
      { what: 'ours, p99, median of the rounds', value: of('ours', 'p99Ms') / 1000, unit: 's' },
      { what: 'bare client, p99, median of the rounds', value: of('bare', 'p99Ms') / 1000, unit: 's' },
      { what: 'ours, not answered with 202', value: sum(all.map(({ ours }) => ours.refused)), unit: 'calls' },
      { what: 'processor time for each: the API', value: of('ours', 'starterMs') / 1000, unit: 's' },
      { what: 'processor time for each: the bare client', value: of('bare', 'starterMs') / 1000, unit: 's' },
      { what: 'processor time for each: Temporal, ours', value: of('ours', 'serverMs') / 1000, unit: 's' },
      { what: 'processor time for each: Temporal, bare', value: of('bare', 'serverMs') / 1000, unit: 's' },
    ],
    details: [
      {
        title: 'Round by round',
        head: ['round', 'ours', 'bare', 'ratio', 'ours, p99', 'bare, p99'],
        rows: all.map((round, at) => [
          at + 1,
          show(round.ours.perSecond, '/s'),
          show(round.bare.perSecond, '/s'),
          show(ratioOf(round), 'times'),
          seconds(round.ours.p99Ms),
          seconds(round.bare.p99Ms),
        ]),
      },
    ],
  };
}
