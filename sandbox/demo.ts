/**
 * `npm run demo`: from merge to production, on real processes. Exit 0 only if all that it claims came true.
 */
import { deployed, rolledBack } from './demo/deployments.js';
import { held, promoted } from './demo/promotions.js';
import { redeployed, refused, released, told, wentBack } from './demo/releases.js';
import { out, Stage, title } from './demo/stage.js';
import { startStack } from './stack.js';

async function main(): Promise<void> {
  const began = Date.now();
  title('Starting the sandbox');
  const starting = startStack({ say: (line) => out(`   ${line}`) }).then((stack) => new Stage(stack));
  let isEnding = false;
  const end = (): void => {
    isEnding = true;
    out('\nEnding the sandbox …');
    // Also what is only just coming up.
    void starting.then((stage) => stage.close()).finally(() => process.exit(130));
  };
  process.once('SIGINT', end).once('SIGTERM', end);
  const stage = await starting;
  if (isEnding) return;
  try {
    await play(stage);
  } finally {
    await stage.close();
  }
  conclude(stage, Math.round((Date.now() - began) / 1000));
}

async function play(stage: Stage): Promise<void> {
  const { stack } = stage;
  out(`   to look at meanwhile: the dashboard ${stack.apiUrl}, Temporal ${stack.uiUrl ?? 'without its UI'}`);
  const { first, second, third } = await promoted(stage);
  await wentBack(stage, { from: second, to: first });
  await held(stage);
  await redeployed(stage, first);
  await rolledBack(stage, { good: third, broken: stack.sample.commits.broken.atStart });
  const commit = stack.sample.commits.good.at(-1) ?? '';
  await deployed(stage, commit);
  await released(stage, commit);
  await refused(stage);
  await told(stage, 3);
  title('What it looks like');
  await stage.sluice(['status']);
  await stage.sluice(['history']);
}

function conclude({ findings }: Stage, seconds: number): void {
  const broke = findings.filter(({ held }) => !held);
  title(`${findings.length - broke.length} of ${findings.length} came true, in ${seconds} s`);
  for (const { claim } of broke) out(`   ✗ ${claim}`);
  out('   npm run sandbox leaves it running to play with');
  process.exitCode = broke.length === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`The demo could not go on: ${message}\n`);
  process.exit(1);
});
