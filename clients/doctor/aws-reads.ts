/** The calls that the watch of a rollout and its dossier read a service by, each tried once. Nothing is written. */
import {
  DescribeServiceDeploymentsCommand,
  DescribeServiceRevisionsCommand,
  DescribeTasksCommand,
  ListServiceDeploymentsCommand,
  ListTaskDefinitionsCommand,
  ListTasksCommand,
} from '@aws-sdk/client-ecs';
import type { ECSClient, Service } from '@aws-sdk/client-ecs';
import { mayRead, permitted } from './aws-tried.js';
import { Report } from './report.js';

/** Of the form that AWS gives them, and nobody's. */
const NO_TASK = '0'.repeat(32);
const NO_ID = '0'.repeat(21);

export interface Read {
  ecs: ECSClient;
  cluster: string;
  /** As configured, and as ECS described it, where it did. */
  service: string;
  described: Service | undefined;
  family: string;
}

/** One line where all is well, one for each call that is not. */
export async function checkReads(of: Read, report: Report): Promise<void> {
  const quiet = new Report('');
  await tryAll(of, quiet);
  const fine = quiet.findings.filter(({ state }) => state === 'ok').map(({ what }) => what);
  const others = quiet.findings.filter(({ state }) => state !== 'ok');
  if (others.every(({ state }) => state === 'unchecked')) report.ok('permissions to read', fine.join(', '));
  for (const finding of others) report.take(finding);
}

async function tryAll({ ecs, cluster, service, described, family }: Read, report: Report): Promise<void> {
  await permitted(report, 'ecs:ListTasks', () =>
    ecs.send(new ListTasksCommand({ cluster, serviceName: service })),
  );
  await mayRead(report, 'ecs:DescribeTasks', () =>
    ecs.send(new DescribeTasksCommand({ cluster, tasks: [NO_TASK] })),
  );
  await permitted(report, 'ecs:ListTaskDefinitions', () =>
    ecs.send(new ListTaskDefinitionsCommand({ familyPrefix: family, maxResults: 1 })),
  );
  const listed = await permitted(report, 'ecs:ListServiceDeployments', () =>
    ecs.send(new ListServiceDeploymentsCommand({ cluster, service, maxResults: 1 })),
  );
  const [newest] = listed?.serviceDeployments ?? [];
  const deployment = newest?.serviceDeploymentArn ?? nobodys('service-deployment', described);
  await withArn(report, 'ecs:DescribeServiceDeployments', deployment, (arn) =>
    ecs.send(new DescribeServiceDeploymentsCommand({ serviceDeploymentArns: [arn] })),
  );
  const revision = newest?.targetServiceRevisionArn ?? nobodys('service-revision', described);
  await withArn(report, 'ecs:DescribeServiceRevisions', revision, (arn) =>
    ecs.send(new DescribeServiceRevisionsCommand({ serviceRevisionArns: [arn] })),
  );
}

async function withArn(
  report: Report,
  action: string,
  arn: string | undefined,
  call: (arn: string) => Promise<unknown>,
): Promise<void> {
  if (arn) await mayRead(report, action, () => call(arn));
  else report.unchecked(action, 'not tried: it needs a service that is there');
}

/** `arn:aws:ecs:{region}:{account}:{kind}/{cluster}/{service}/{id}` */
function nobodys(kind: string, { serviceArn, clusterArn }: Service = {}): string | undefined {
  if (!serviceArn || !clusterArn) return undefined;
  const last = (text: string): string => text.split('/').at(-1) ?? '';
  const account = serviceArn.split(':').slice(0, 5).join(':');
  return `${account}:${kind}/${last(clusterArn)}/${last(serviceArn)}/${NO_ID}`;
}
