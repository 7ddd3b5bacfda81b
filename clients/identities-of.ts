/** Who asks, for a process: from its configuration and its environment. */
import type { Config } from '../domain/config/config.js';
import { emergencyToken } from './emergency.js';
import type { Credentials } from './github-credentials.js';
import { createIdentities } from './identity.js';
import type { Identities } from './identity.js';
import { oauthAppOf } from './oauth-app.js';

/** @throws ConfigError where a secret of the environment cannot be used */
export function identitiesOf(env: NodeJS.ProcessEnv, config: Config, credentials: Credentials): Identities {
  const isEmergency = emergencyToken(env['SLUICE_EMERGENCY_TOKEN']);
  const oauthApp = oauthAppOf(env);
  const ownClient = env['GITHUB_OAUTH_CLIENT_ID'];
  return createIdentities({
    ...config.maintainers,
    token: credentials.token,
    credentials: credentials.describe(),
    ...(env['GITHUB_API_URL'] ? { baseUrl: env['GITHUB_API_URL'] } : {}),
    oauthClients: [...config.access.oauthClients, ...(ownClient ? [ownClient] : [])],
    ...(oauthApp ? { oauthApp } : {}),
    ...(isEmergency ? { isEmergency } : {}),
  });
}
