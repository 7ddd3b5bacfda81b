/** The main job: merges go to staging, are tested, and reach production one at a time, each by a person's button. */
import type { Promotion, PromotionQueueView } from '../../domain/promotion/promotion.js';
import { shortTag } from '../../domain/summary.js';
import type { Stage } from './stage.js';
import { out, title } from './stage.js';

const APP = 'api';
const TESTS = 'playwright.yml';
/** Far above what anything here takes, so that only what never comes ends the demo. */
const PATIENCE_MS = 120_000;

const queueOf = (stage: Stage): Promise<PromotionQueueView> => stage.read(`/api/promotions/${APP}`);

const find = ({ current, waiting, recent }: PromotionQueueView, release: string): Promotion | undefined =>
  [current, ...waiting, ...recent].find((one) => one?.release === release);

/** Tells every change of a promotion as it comes, until it is as wanted. */
async function follow(
  stage: Stage,
  release: string,
  wanted: (promotion: Promotion) => boolean,
): Promise<Promotion> {
  const end = Date.now() + PATIENCE_MS;
  let last = '';
  for (;;) {
    const found = find(await queueOf(stage), release);
    const line = found ? lineOf(found) : '';
    if (line !== last) out(`   ${shortTag(release)}  ${line}`);
    last = line;
    if (found && wanted(found)) return found;
    if (Date.now() > end) throw new Error(`${release} came no further than: ${last || 'not seen'}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function lineOf({ stage, tests, waitingFor, failure, carriedBy }: Promotion): string {
  const tested = tests ? `, tests ${tests.state} (attempt ${tests.attempt})` : '';
  const why =
    waitingFor && waitingFor.code !== 'TESTS_RUNNING'
      ? `: ${waitingFor.detail} [${waitingFor.code}]`
      : failure
        ? `: ${failure.message}`
        : '';
  return `${stage}${tested}${carriedBy ? `, carried by ${carriedBy}` : ''}${why}`;
}

async function merge(stage: Stage, what: string, author: string): Promise<string> {
  const { github } = stage.stack;
  const { number, sha } = await github.mergePullRequest({ title: what, author, app: APP, by: 'alice' });
  out(`   #${number} “${what}” by ${author}, merged by alice: ${shortTag(sha)}`);
  return sha;
}

const isUnlocked = ({ waitingFor }: Promotion): boolean => waitingFor?.code === 'APPROVAL';

/** @returns the commits: two that are in production one after the other, and one that never gets there */
export async function promoted(stage: Stage): Promise<{ first: string; second: string; third: string }> {
  const { workflows } = stage.stack.github;
  title('A pull request is merged. GitHub sends its signed webhook; nobody types anything');
  const first = await merge(stage, 'Search by license', 'bob');
  await follow(stage, first, ({ stage: at }) => at !== 'queued');
  out('   a second one is merged while the first is on its way:');
  const second = await merge(stage, 'Sort by date', 'carol');
  const unlocked = await follow(stage, first, isUnlocked);
  stage.check('staging reports the merge', (await stage.reported(APP, 'staging')) === first);
  stage.check('its tests ran as a workflow at GitHub, and passed', unlocked.tests?.state === 'passed');
  stage.check('production waits for a person', (await stage.reported(APP, 'production')) !== first);
  await stage.sluice(['promote', 'status', APP]);
  const waits = find(await queueOf(stage), second);
  stage.check('the second merge waits, and says why', waits?.waitingFor?.code === 'PROMOTION_RUNNING');

  title('A maintainer looks, and presses the button');
  const code = await stage.sluice(['promote', 'approve', APP]);
  stage.check('the command ended with 0', code === 0);
  stage.check('production reports the same release', (await stage.reported(APP, 'production')) === first);
  await sameDigests(stage, first);

  title('The second merge goes next by itself; a third one breaks something');
  workflows.behave(TESTS, ({ inputs }) => ({
    conclusion: inputs['release'] === second ? 'success' : 'failure',
  }));
  await follow(stage, second, ({ stage: at }) => at === 'staging' || at === 'testing');
  const third = await merge(stage, 'Faster search', 'dan');
  await follow(stage, second, isUnlocked);
  stage.check('it is approved too', (await stage.sluice(['promote', 'approve', APP])) === 0);
  const failed = await follow(stage, third, ({ stage: at }) => at === 'failed');
  workflows.behave(TESTS, { conclusion: 'success' });
  stage.check('the third one failed its tests, twice', failed.tests?.attempts.length === 2);
  const refused = await stage.sluice(['promote', 'approve', APP]);
  stage.check('the button stays locked for it', refused !== 0);
  stage.check('production never saw it', (await stage.reported(APP, 'production')) === second);
  return { first, second, third };
}

async function sameDigests(stage: Stage, release: string): Promise<void> {
  const promotion = find(await queueOf(stage), release);
  const [staging, production] = await Promise.all(
    [promotion?.staging, promotion?.production].map((id) =>
      stage.read<{ digests?: Record<string, string> }>(`/api/deployments/${id ?? 'none'}`),
    ),
  );
  const same = JSON.stringify(staging?.digests) === JSON.stringify(production?.digests);
  stage.check('production got the very digests that staging ran', same && staging?.digests !== undefined);
}

/** After `sluice rollback`: nothing may bring the release back by itself. */
export async function held(stage: Stage): Promise<void> {
  title('The queue is held since the rollback, with the reason, until a person lets it go on');
  const { state, lock } = await queueOf(stage);
  stage.check('it is locked, and says why', state === 'locked' && lock?.code === 'PRODUCTION_ROLLED_BACK');
  const code = await stage.sluice(['promote', 'unlock', APP]);
  stage.check('it is unlocked', code === 0 && (await queueOf(stage)).lock === undefined);
}
