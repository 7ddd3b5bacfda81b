/** From "request accepted" to UpdateService, with the images in the registry. */
import type { Timings } from '../sandbox/aws/index.js';
import type { Bench, Lane } from './site.js';
import { API_LANES, until, withBench } from './site.js';
import { largest, median, p95 } from './statistics.js';
import type { Report } from './table.js';

/** What comes after UpdateService is not measured: short. */
const QUICK: Partial<Timings> = { tick: 20, pull: 60, start: 60, drain: 80, settle: 40 };

interface Sent {
  /** Request sent to answered with 202. */
  acceptedMs: number;
  /** Answered to UpdateService received at the stand-in. */
  updateMs: number;
  /** ECS reads of ours in between. */
  reads: number;
}

/** @param runs one after the other; the first of each lane, which starts the lane itself, is not counted */
export async function latency({ runs }: { runs: number }): Promise<Report> {
  return withBench({ timings: QUICK }, async (bench) => {
    for (const lane of API_LANES) await once(bench, lane);
    const all: Sent[] = [];
    for (let run = 0; run < runs; run += 1) all.push(await once(bench, API_LANES[run % API_LANES.length]!));
    return report(all);
  });
}

async function once(bench: Bench, lane: Lane): Promise<Sent> {
  const { aws } = bench;
  const tag = bench.images(lane);
  const { id, sentAt, answeredAt } = await bench.deploy(lane, { tag });
  const update = await until(
    'UpdateService',
    () => aws.calls({ operation: 'ecs:UpdateService', since: sentAt })[0],
    { everyMs: 20 },
  );
  const reads = aws
    .calls({ since: sentAt })
    .filter(({ at, operation }) => at <= update.at && /^ecs:(Describe|List)/.test(operation)).length;
  await bench.succeeded(id);
  return { acceptedMs: answeredAt - sentAt, updateMs: update.at - answeredAt, reads };
}

function report(all: readonly Sent[]): Report {
  const update = all.map(({ updateMs }) => updateMs);
  const accepted = all.map(({ acceptedMs }) => acceptedMs);
  return {
    part: 'latency',
    title: 'From “request accepted” to UpdateService, images present',
    how: [
      `${all.length} deployments of the app \`api\` (two images), one after the other, staging and production in turn. ` +
        'From the answer 202 to UpdateService as the stand-in received it; between the two are validate, look, the membership at GitHub, register, and what `update` reads again.',
    ],
    figures: [
      { what: 'accepted → UpdateService, median', value: median(update) / 1000, unit: 's', target: 0.5 },
      { what: 'accepted → UpdateService, p95', value: p95(update) / 1000, unit: 's' },
      { what: 'accepted → UpdateService, longest', value: largest(update) / 1000, unit: 's' },
      { what: 'request sent → accepted (202), median', value: median(accepted) / 1000, unit: 's' },
      { what: 'ECS reads in between, median', value: median(all.map(({ reads }) => reads)), unit: 'calls' },
    ],
    details: [],
  };
}
