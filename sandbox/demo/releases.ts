/** Production: released from the image that staging runs, rolled back, redeployed; and somebody refused. */
import type { Release } from '../../domain/release/release.js';
import { seedOf, serviceOf, SLACK } from '../settings.js';
import type { Stage } from './stage.js';
import { out, title, until } from './stage.js';

export async function released(stage: Stage, commit: string): Promise<void> {
  title('A maintainer releases that image to production by its tag: no build, no pull');
  const code = await stage.sluice(['release', 'frontend', '--tag', commit]);
  stage.check('the command ended with 0', code === 0);
  const { items } = await stage.read<{ items: Release[] }>('/api/releases?app=frontend&limit=1');
  const [release] = items;
  stage.check('the release succeeded', release?.outcome === 'succeeded');
  stage.check('production reports the commit', (await stage.reported('frontend', 'production')) === commit);
  const made = stage.stack.github
    .effects()
    .filter(
      ({ kind, detail }) => kind === 'release' || (kind === 'pull' && detail?.startsWith('changelog/')),
    );
  for (const { kind, what } of made) out(`   GitHub: ${kind} ${what}`);
  const count = (kind: string): number => made.filter((one) => one.kind === kind).length;
  stage.check(
    'one GitHub Release and one changelog pull request',
    count('release') === 1 && count('pull') === 1,
  );
}

export async function wentBack(stage: Stage, { from, to }: { from: string; to: string }): Promise<void> {
  title('It does not behave: production goes back, before everything that waits');
  const args = ['rollback', 'api', 'production', '--reason', 'search answers too slowly'];
  stage.check('the command ended with 0', (await stage.sluice(args)) === 0);
  stage.check(
    'production reports the last release before it that was verified there',
    (await stage.reported('api', 'production')) === to,
  );
  const again = await stage.sluice(['deploy', 'api', 'production', '--tag', from]);
  stage.check('the release that was rolled back is refused', again !== 0);
}

export async function redeployed(stage: Stage, release: string): Promise<void> {
  title('A new environment variable: the same release once more, from the latest template');
  addToTemplate(stage, 'SEARCH_TIMEOUT');
  const code = await stage.sluice(['redeploy', 'api', 'production']);
  const { kind, outcome, tag, variables } = await stage.latest('api', 'production');
  const same = code === 0 && kind === 'redeploy' && outcome === 'succeeded' && tag === release;
  stage.check('the release that the version endpoint reports was deployed again', same);
  stage.check('the variable that came with it is named', variables?.added.join() === 'django/SEARCH_TIMEOUT');
}

/** As Terraform would: a new revision of the template. */
function addToTemplate(stage: Stage, name: string): void {
  const { aws } = stage.stack;
  const family = `${serviceOf('api', 'production')}-template`;
  const template = seedOf(aws.registry).taskDefinitions?.find((one) => one.family === family);
  if (!template) throw new Error(`${family} is not in the sandbox`);
  const containerDefinitions = template.containerDefinitions?.map((container) =>
    container.name === 'django'
      ? { ...container, environment: [...(container.environment ?? []), { name, value: '5' }] }
      : container,
  );
  aws.taskDefinition({ ...template, containerDefinitions });
}

export async function refused(stage: Stage): Promise<void> {
  title('Only maintainers dispatch');
  const code = await stage.sluice(['rollback', 'api', 'production', '--reason', 'because'], 'mallory');
  stage.check('mallory is refused', code !== 0);
}

/** What people who do not use the command line see: GitHub's pages, comments on pull requests, and Slack. */
export async function told(stage: Stage, promotions: number): Promise<void> {
  title('Everybody was told');
  const { github, slack } = stage.stack;
  const { items } = await stage.read<{ items: { id: string; state: string }[] }>('/api/deployments?limit=50');
  const posts = () => slack.messages(SLACK.channel.name).filter(({ threadTs }) => threadTs === undefined);
  const typeOf = (metadata: unknown): unknown =>
    (metadata as { event_type?: unknown } | undefined)?.event_type;
  const about = (type: string) => posts().filter(({ metadata }) => typeOf(metadata) === type);
  const isTold = (): boolean =>
    github.effects('deployment').length === items.length &&
    about('sluice_deployment').length === items.length;
  stage.check('GitHub has a Deployment for each, Slack one message for each', await until(isTold));
  const arePeople = (): boolean =>
    about('sluice_promotion').length === promotions && github.effects('comment').length === promotions;
  stage.check(
    'each merge has one message, and one comment on its pull request, kept up in place',
    await until(arePeople),
  );
  for (const { text } of [...about('sluice_promotion').slice(-1), ...about('sluice_deployment').slice(-2)]) {
    out(`   Slack: ${text}`);
  }
}
