/** The client of Temporal, from `TEMPORAL_*` (Temporal's own environment configuration). */
import type { ConnectionOptions } from '@temporalio/client';
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';

export interface Temporal {
  connection: Connection;
  client: Client;
  namespace: string;
  close(): Promise<void>;
}

/**
 * Connects at the first call, so that a process starts while Temporal is down.
 * @param override address and namespace instead of the environment's
 * @throws where the configuration itself cannot be read, e.g. a certificate that is not there
 */
export function createTemporal(override: { address?: string; namespace?: string } = {}): Temporal {
  const configured = override.address ? undefined : loadClientConnectConfig();
  const namespace = override.namespace ?? configured?.namespace ?? 'default';
  const connection = Connection.lazy(
    configured ? given(configured.connectionOptions) : { address: override.address },
  );
  return {
    connection,
    namespace,
    client: new Client({ connection, namespace }),
    close: () => connection.close(),
  };
}

/** An option that is present but undefined would hide the client's own default. */
function given(
  options: Pick<ConnectionOptions, 'address' | 'apiKey' | 'tls' | 'metadata'>,
): ConnectionOptions {
  const { address, apiKey, tls, metadata } = options;
  return Object.fromEntries(
    Object.entries({ address, apiKey, tls, metadata }).filter(([, value]) => value !== undefined),
  );
}
