/** Sluice's own OAuth or GitHub App at GitHub, and which tokens are its own. */
import { githubUrl, type GitHubTrouble } from './github.js';

export interface OAuthApp {
  /** `GITHUB_OAUTH_CLIENT_ID` */
  clientId: string;
  /** `GITHUB_OAUTH_CLIENT_SECRET` */
  clientSecret: string;
}

/** @returns undefined where not both are set */
export function oauthAppOf(env: NodeJS.ProcessEnv): OAuthApp | undefined {
  const clientId = env['GITHUB_OAUTH_CLIENT_ID'];
  const clientSecret = env['GITHUB_OAUTH_CLIENT_SECRET'];
  return clientId && clientSecret ? { clientId, clientSecret } : undefined;
}

/**
 * Whether a token is of this app (`POST /applications/{client_id}/token`): for answers that do not name the
 * client, as those to a GitHub App's tokens may not. It works with the app's own credentials only.
 */
export async function belongsToApp(of: {
  app: OAuthApp;
  token: string;
  baseUrl?: string;
  timeoutMs?: number;
}): Promise<{ kind: 'answer'; value: boolean } | { kind: 'misconfigured'; message: string } | GitHubTrouble> {
  const { app, token, baseUrl, timeoutMs = 5_000 } = of;
  const basic = Buffer.from(`${app.clientId}:${app.clientSecret}`).toString('base64');
  try {
    const response = await fetch(
      `${githubUrl(baseUrl)}/applications/${encodeURIComponent(app.clientId)}/token`,
      {
        method: 'POST',
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          accept: 'application/vnd.github+json',
          authorization: `Basic ${basic}`,
          'content-type': 'application/json',
          'user-agent': 'sluice',
        },
        body: JSON.stringify({ access_token: token }),
      },
    );
    // An answer of its own says which token; nothing of its body is needed, or kept.
    await response.body?.cancel();
    if (response.status === 200) return { kind: 'answer', value: true };
    if (response.status === 404 || response.status === 422) return { kind: 'answer', value: false };
    const message = `GitHub answers ${response.status} when asked whose token this is`;
    return response.status === 401
      ? { kind: 'misconfigured', message: `${message}: are GITHUB_OAUTH_CLIENT_ID and _SECRET right?` }
      : { kind: 'down', message };
  } catch {
    // Its words may repeat what was sent (rule 7).
    return { kind: 'down', message: 'GitHub cannot be reached' };
  }
}
