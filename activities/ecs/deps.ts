import type { Aws } from '../../clients/aws.js';
import type { Config } from '../../domain/config/config.js';
import type { Limiter } from './limiter.js';
import type { EcsReader } from './reader.js';

export interface EcsActivityDeps {
  config: Config;
  aws: Pick<Aws, 'ecs'>;
  /** @throws ApplicationFailure `NOT_A_MAINTAINER`, retryable `GITHUB_DOWN` */
  requireMaintainer(login: string): Promise<void>;
  /** Host in image references. @throws ApplicationFailure */
  registryHost(): Promise<string>;
}

/** With what all watches of a worker share. */
export interface EcsDeps extends EcsActivityDeps {
  limiter: Limiter;
  reader: EcsReader;
}
