/** A commit goes to staging; one that does not start is rolled back by ECS, and told as the failure that it is. */
import type { Stage } from './stage.js';
import { title } from './stage.js';

export async function deployed(stage: Stage, commit: string): Promise<void> {
  title('By hand: a commit of main goes to staging, followed live');
  const code = await stage.sluice(['deploy', 'frontend', 'staging', '--commit', commit]);
  stage.check('the command ended with 0', code === 0);
  const { outcome, verified } = await stage.latest('frontend', 'staging');
  stage.check('outcome succeeded, verified', outcome === 'succeeded' && verified === true);
  const release = await stage.reported('frontend', 'staging');
  stage.check('its version endpoint reports the commit', release === commit);
}

export async function rolledBack(
  stage: Stage,
  { good, broken }: { good: string; broken: string },
): Promise<void> {
  title('A commit whose container does not start: ECS rolls back, and Sluice says so');
  const before = stage.revisions('api', 'staging');
  const code = await stage.sluice(['deploy', 'api', 'staging', '--commit', broken]);
  stage.check('the command did not end with 0', code !== 0);
  const { outcome, failure, dossier } = await stage.latest('api', 'staging');
  stage.check('outcome rolled-back, not success', outcome === 'rolled-back');
  stage.check('the reason is given', failure?.code === 'ROLLED_BACK');
  const hasDossier = Boolean(dossier?.events.length && dossier.stoppedTasks.length);
  stage.check('the dossier has the stopped tasks and the events', hasDossier);
  const after = stage.revisions('api', 'staging');
  stage.check('one revision was registered, none by the rollback', after === before + 1);
  stage.check('the commit before is served', (await stage.reported('api', 'staging')) === good);
}
