/**
 * EventBridge's "ECS Deployment State Change" events
 * (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html).
 * One is news, never a verdict: it says that a read is worth its call now.
 */
import type { Config } from './config/config.js';
import type { Target } from './deployment.js';

export interface EcsEvent {
  source: string;
  'detail-type': string;
  /** ARN of the service. */
  resources: string[];
  detail: {
    /** `SERVICE_DEPLOYMENT_IN_PROGRESS`, `…_COMPLETED` or `…_FAILED`. */
    eventName: string;
  };
}

export const ECS_DEPLOYMENT_EVENT = 'ECS Deployment State Change';

/** A service as its ARN names it; the old short form has no cluster. */
export interface NamedService {
  region: string;
  cluster?: string;
  service: string;
}

const SERVICE_ARN = /^arn:[a-z-]+:ecs:([a-z0-9-]+):\d{12}:service\/(?:([^/]+)\/)?([^/]+)$/;

export function parseServiceArn(arn: string): NamedService | undefined {
  const [, region, cluster, service] = SERVICE_ARN.exec(arn) ?? [];
  if (!region || !service) return undefined;
  return { region, service, ...(cluster ? { cluster } : {}) };
}

/** The configured services that an ARN may mean: accounts are not configured, so clusters of one name are one. */
export function targetsOfService(config: Config, named: NamedService): Target[] {
  return Object.entries(config.apps).flatMap(([app, { environments }]) =>
    Object.entries(environments)
      .filter(([name, { service }]) => {
        const environment = config.environments[name];
        return (
          lastPart(service) === named.service &&
          environment?.region === named.region &&
          (named.cluster === undefined || lastPart(environment.cluster) === named.cluster)
        );
      })
      .map(([environment]) => ({ app, environment })),
  );
}

/** A name, where an ARN is configured in its place. */
const lastPart = (name: string): string => name.split('/').at(-1) ?? name;

/** @returns why it is no news of a rollout's end, in words; undefined where it is */
export function notNews({ source, 'detail-type': type, detail }: EcsEvent): string | undefined {
  if (source !== 'aws.ecs' || type !== ECS_DEPLOYMENT_EVENT) {
    return `only ${JSON.stringify(ECS_DEPLOYMENT_EVENT)} of aws.ecs is looked at`;
  }
  return detail.eventName === 'SERVICE_DEPLOYMENT_IN_PROGRESS'
    ? 'a deployment that is in progress is watched already'
    : undefined;
}
