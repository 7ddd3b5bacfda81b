/** Where to look further. */
import type { Config, ServiceConfig } from '../domain/config/config.js';
import type { Target } from '../domain/deployment.js';
import { deploymentWorkflowId, laneWorkflowId, releaseWorkflowId } from '../domain/ids.js';
import type { Release } from '../domain/release/release.js';
import { isCommit } from '../domain/tags.js';
import type { DeploymentView } from '../domain/view.js';

export interface LinkSettings {
  config: Config;
  /** Namespace at Temporal. */
  namespace: string;
  /** `TEMPORAL_UI_URL`, without a slash at its end. */
  temporalUiUrl?: string;
  /** `SLUICE_PUBLIC_URL`, without a slash at its end; empty: links are paths. */
  publicUrl: string;
  /** The repository's page at GitHub, without a slash at its end; absent: nothing there is linked. */
  repositoryUrl?: string;
}

export interface ServiceLinks {
  version?: string;
  app?: string;
  logs?: string;
  runbook?: string;
  ecs?: string;
  temporal?: string;
}

export function serviceOf(config: Config, { app, environment }: Target): ServiceConfig | undefined {
  const found = Object.hasOwn(config.apps, app) ? config.apps[app] : undefined;
  return found && Object.hasOwn(found.environments, environment)
    ? found.environments[environment]
    : undefined;
}

const workflowLink = ({ temporalUiUrl, namespace }: LinkSettings, workflowId: string): ServiceLinks =>
  temporalUiUrl
    ? { temporal: `${temporalUiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}` }
    : {};

function linksOfService({ config }: LinkSettings, target: Target): ServiceLinks {
  const service = serviceOf(config, target);
  const environment = Object.hasOwn(config.environments, target.environment)
    ? config.environments[target.environment]
    : undefined;
  if (!service || !environment) return {};
  const runbook = service.runbookUrl ?? config.apps[target.app]?.runbookUrl;
  const { region, cluster } = environment;
  return {
    ...(service.versionUrl ? { version: service.versionUrl } : {}),
    ...(service.url ? { app: service.url } : {}),
    ...(service.logsUrl ? { logs: service.logsUrl } : {}),
    ...(runbook ? { runbook } : {}),
    ecs: `https://${region}.console.aws.amazon.com/ecs/v2/clusters/${cluster}/services/${service.service}/health?region=${region}`,
  };
}

export const linksOfApp = (settings: LinkSettings, target: Target): ServiceLinks => ({
  ...linksOfService(settings, target),
  ...workflowLink(settings, laneWorkflowId(target)),
});

export const deploymentUrl = ({ publicUrl }: LinkSettings, id: string): string =>
  `${publicUrl}/api/deployments/${id}`;

/** The commit that is deployed, as far as it is known; what is released under another tag may be none. */
function commitLink(
  { repositoryUrl }: LinkSettings,
  { release, commit, tag }: Pick<DeploymentView, 'release' | 'commit' | 'tag'>,
): { github?: string } {
  const sha = [release, commit, tag].find((one) => one !== undefined && isCommit(one));
  return repositoryUrl && sha ? { github: `${repositoryUrl}/commit/${sha}` } : {};
}

export const linksOfDeployment = (
  settings: LinkSettings,
  deployment: Target & Pick<DeploymentView, 'id' | 'release' | 'commit' | 'tag'>,
) => ({
  self: deploymentUrl(settings, deployment.id),
  stream: `${deploymentUrl(settings, deployment.id)}/stream`,
  ...linksOfService(settings, deployment),
  ...workflowLink(settings, deploymentWorkflowId(deployment.id)),
  ...commitLink(settings, deployment),
});

export const releaseUrl = ({ publicUrl }: LinkSettings, id: string): string =>
  `${publicUrl}/api/releases/${id}`;

export function linksOfRelease(settings: LinkSettings, release: Release) {
  const { id, app, deployment, releaseUrl: page, pullRequest } = release;
  const runbook = Object.hasOwn(settings.config.apps, app) && settings.config.apps[app]?.runbookUrl;
  return {
    self: releaseUrl(settings, id),
    ...(deployment ? { deployment: deploymentUrl(settings, deployment) } : {}),
    ...(page ? { release: page } : {}),
    ...(pullRequest ? { pullRequest } : {}),
    ...(runbook ? { runbook } : {}),
    ...workflowLink(settings, releaseWorkflowId(id)),
  };
}
