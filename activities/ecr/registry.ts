/** The registry of the account, logged in to with ECR's token. */
import { GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import type { ApplicationFailure } from '@temporalio/common';
import type { Aws } from '../../clients/aws.js';
import { createRegistry, RegistryError } from '../../clients/registry.js';
import type { Registry, RegistryLogin } from '../../clients/registry.js';
import type { Config } from '../../domain/config/config.js';
import { patiently } from '../aws-again.js';
import { awsFailure } from '../aws-errors.js';
import { later, refuse } from '../failure.js';

/** A token lasts twelve hours; one that may run out during a push is not used any more. */
const SPARE_MS = 60 * 60_000;

export interface RegistryAccess {
  /** @throws ApplicationFailure where ECR gives no token */
  login(): Promise<RegistryLogin>;
  /** @throws ApplicationFailure as `login` */
  open(signal?: AbortSignal): Promise<Registry>;
}

/** One per process: it keeps the token. `aws.registry` of the configuration names another host than ECR tells. */
export function createRegistryAccess(deps: { config: Config; aws: Pick<Aws, 'ecr'> }): RegistryAccess {
  let kept: { login: RegistryLogin; until: number } | undefined;

  const login = async (): Promise<RegistryLogin> => {
    if (kept && Date.now() < kept.until) return kept.login;
    const ask = () => deps.aws.ecr.send(new GetAuthorizationTokenCommand({}));
    const answer = await patiently(ask).catch((error: unknown) => {
      throw awsFailure(error, 'GetAuthorizationToken');
    });
    const [data] = answer.authorizationData ?? [];
    const [username, ...rest] = Buffer.from(data?.authorizationToken ?? '', 'base64')
      .toString('utf8')
      .split(':');
    const host = deps.config.aws.registry ?? hostOf(data?.proxyEndpoint);
    if (!username || rest.length === 0 || !host) {
      throw later('REGISTRY_DOWN', 'GetAuthorizationToken: ECR gave no token for the registry');
    }
    const fresh = { host, username, password: rest.join(':') };
    kept = { login: fresh, until: (data?.expiresAt?.getTime() ?? 0) - SPARE_MS };
    return fresh;
  };

  return {
    login,
    open: async (signal) => patient(createRegistry({ login: await login(), ...(signal ? { signal } : {}) })),
  };
}

function patient(registry: Registry): Registry {
  const mayPass = (error: unknown): boolean => !registryFailure(error, registry.host).nonRetryable;
  return {
    ...registry,
    manifest: (repository, reference) => patiently(() => registry.manifest(repository, reference), mayPass),
    labels: (input) => patiently(() => registry.labels(input), mayPass),
  };
}

const hostOf = (endpoint: string | undefined): string | undefined =>
  endpoint && URL.canParse(endpoint) ? new URL(endpoint).host : endpoint;

/**
 * What an error of the registry means: an answer that denies is final (`AWS_REFUSED`), any other and none
 * at all is an outage (`REGISTRY_DOWN`). Failures pass through.
 */
export function registryFailure(error: unknown, host: string): ApplicationFailure {
  if (error instanceof RegistryError && (error.status === 401 || error.status === 403)) {
    return refuse(
      'AWS_REFUSED',
      `The registry ${host} denies it (${error.status}): this worker's role needs ecr:BatchGetImage and ecr:GetDownloadUrlForLayer`,
    );
  }
  const words = error instanceof RegistryError ? error.message : 'it cannot be reached';
  return later('REGISTRY_DOWN', `The registry ${host} does not answer as it should: ${words}`);
}
