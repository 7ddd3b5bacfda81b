/** How long Sluice itself takes on the way from a merge to production, and what that leaves in Temporal. */
import type { App, Instants } from './promoted.js';
import { promoteOnce, QUICK } from './promoted.js';
import { historiesOf, historiesReport } from './promotion-history.js';
import { withBench } from './site.js';
import { largest, median, p95 } from './statistics.js';
import type { Report } from './table.js';
import { seconds } from './table.js';

const APPS: readonly App[] = ['api', 'frontend'];

/** @param runs one after the other, of the two apps in turn; the first of each, which starts its queue, is not counted */
export async function promotion({ runs }: { runs: number }): Promise<Report[]> {
  return withBench({ timings: QUICK }, async (bench) => {
    for (const app of APPS) await promoteOnce(bench, app, 'The first one');
    const all: Instants[] = [];
    for (let run = 0; run < runs; run += 1) {
      all.push(await promoteOnce(bench, APPS[run % APPS.length]!, `Run ${run + 1}`));
    }
    const histories = [await historiesOf(bench, 'api'), await historiesOf(bench, 'frontend')];
    return [times(all), historiesReport('promotion', histories)];
  });
}

/** What lies between, where it is Sluice’s own. */
const OWN: [string, keyof Instants, keyof Instants][] = [
  ['push answered (202) → the promotion begins', 'told', 'staging'],
  ['push answered (202) → the build starts', 'told', 'building'],
  ['staging deployed → its tests are started', 'staged', 'testing'],
  ['tests reported → unlocked', 'tested', 'unlocked'],
  ['approve: sent → answered', 'approveSent', 'approveAnswered'],
  ['approve answered → the production deployment begins', 'approveAnswered', 'production'],
  ['approve answered → UpdateService', 'approveAnswered', 'updated'],
  ['production deployed → promoted', 'deployed', 'promoted'],
];

/** What has a part of builds, rollouts and tests, which are played. */
const WHOLE: [string, keyof Instants, keyof Instants][] = [
  ['push answered → staging deployed', 'told', 'staged'],
  ['push answered → unlocked', 'told', 'unlocked'],
  ['tests started → reported', 'testing', 'tested'],
  ['approve sent → promoted', 'approveSent', 'promoted'],
];

function times(all: readonly Instants[]): Report {
  const between = (from: keyof Instants, to: keyof Instants): number[] =>
    all.map((one) => one[to] - one[from]);
  const row = ([what, from, to]: (typeof OWN)[number]): string[] => {
    const took = between(from, to);
    return [what, ...[median(took), p95(took), largest(took)].map(seconds)];
  };
  const updated = between('approveAnswered', 'updated');
  const approving = between('approveSent', 'approveAnswered');
  const building = between('told', 'building');
  return {
    part: 'promotion',
    title: 'From merge to production',
    how: [
      `${all.length} promotions, one after the other, of the apps \`api\` (two images) and \`frontend\` in turn: a pull request is merged at the stand-in of GitHub, which tells it by its signed webhook; built, deployed, tested by a workflow run, approved as soon as it is unlocked. ` +
        'Builds, rollouts (some tenths of a second) and the run of the tests are played. “Build starts”: activity `buildImages` by its history; UpdateService as the stand-in received it; all else as Sluice’s own records say.',
    ],
    figures: [
      { what: 'push answered (202) → the build starts, median', value: median(building) / 1000, unit: 's' },
      { what: 'push answered (202) → the build starts, p95', value: p95(building) / 1000, unit: 's' },
      { what: 'approve: sent → answered, median', value: median(approving) / 1000, unit: 's', target: 1 },
      { what: 'approve: sent → answered, p95', value: p95(approving) / 1000, unit: 's' },
      { what: 'approve answered → UpdateService, median', value: median(updated) / 1000, unit: 's' },
      { what: 'approve answered → UpdateService, p95', value: p95(updated) / 1000, unit: 's' },
    ],
    details: [
      { title: 'Sluice’s own time', head: ['from → to', 'median', 'p95', 'longest'], rows: OWN.map(row) },
      {
        title: 'With what is played',
        head: ['from → to', 'median', 'p95', 'longest'],
        rows: WHOLE.map(row),
      },
    ],
  };
}
