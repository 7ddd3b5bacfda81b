/** A GitHub App, its installation, and what GitHub says of a token. */
import { hashed } from '../apps.js';
import type { AppOptions, OAuthAppOptions, Permissions } from '../caller.js';
import type { GitHubState } from '../state.js';
import { accountBody } from './account.js';
import { nodeId } from './place.js';

const MADE = '2024-01-01T00:00:00Z';

interface Of {
  state: GitHubState;
  url: string;
}

export const appBody = (app: AppOptions, { state, url }: Of) => ({
  id: app.id,
  slug: app.slug,
  node_id: nodeId('Integration', app.id),
  client_id: app.clientId,
  owner: accountBody(state.org, state, url),
  name: app.name ?? app.slug,
  description: null,
  external_url: url,
  html_url: `${url}/apps/${app.slug}`,
  created_at: MADE,
  updated_at: MADE,
  permissions: app.permissions,
  events: [],
  installations_count: 1,
});

export const installationBody = (app: AppOptions, { state, url }: Of) => ({
  id: app.installationId,
  account: accountBody(state.org, state, url),
  repository_selection: 'all',
  access_tokens_url: `${url}/app/installations/${app.installationId}/access_tokens`,
  repositories_url: `${url}/installation/repositories`,
  html_url: `${url}/organizations/${state.org}/settings/installations/${app.installationId}`,
  app_id: app.id,
  client_id: app.clientId,
  app_slug: app.slug,
  target_id: accountBody(state.org, state, url).id,
  target_type: 'Organization',
  permissions: app.permissions,
  events: [],
  created_at: MADE,
  updated_at: MADE,
  single_file_name: null,
  has_multiple_single_files: false,
  single_file_paths: [],
  suspended_by: null,
  suspended_at: null,
});

export interface CheckedToken {
  token: string;
  login: string;
  scopes: string[];
  permissions?: Permissions;
}

export const authorizationBody = (app: OAuthAppOptions, checked: CheckedToken, { state, url }: Of) => ({
  id: 1,
  url: `${url}/authorizations/1`,
  app: { client_id: app.clientId, name: app.name ?? app.clientId, url: `${url}/apps/${app.clientId}` },
  token: checked.token,
  hashed_token: hashed(checked.token),
  token_last_eight: checked.token.slice(-8),
  note: null,
  note_url: null,
  created_at: MADE,
  updated_at: MADE,
  expires_at: null,
  fingerprint: null,
  scopes: checked.permissions ? [] : checked.scopes,
  user: accountBody(checked.login, state, url),
});
