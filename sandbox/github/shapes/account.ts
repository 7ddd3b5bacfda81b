/** A person, bot or organisation as it stands in other answers. */
import type { GitHubState } from '../state.js';
import { nodeId } from './place.js';

export type AccountType = 'User' | 'Bot' | 'Organization';

const ORG_ID = 1_000_000;
const BOT_ID = 2_000_000;

export function accountBody(login: string, state: GitHubState, url: string) {
  const isBot = login.endsWith('[bot]');
  const isOrg = login.toLowerCase() === state.org.toLowerCase();
  const type: AccountType = isOrg ? 'Organization' : isBot ? 'Bot' : 'User';
  const id = isOrg ? ORG_ID : isBot ? BOT_ID : (state.user(login)?.id ?? 10_137);
  const self = `${url}/users/${encodeURIComponent(login)}`;
  return {
    login,
    id,
    node_id: nodeId(type, id),
    avatar_url: `${url}/avatars/u/${id}?v=4`,
    gravatar_id: '',
    url: self,
    html_url: isBot ? `${url}/apps/${login.slice(0, -'[bot]'.length)}` : `${url}/${login}`,
    followers_url: `${self}/followers`,
    following_url: `${self}/following{/other_user}`,
    gists_url: `${self}/gists{/gist_id}`,
    starred_url: `${self}/starred{/owner}{/repo}`,
    subscriptions_url: `${self}/subscriptions`,
    organizations_url: `${self}/orgs`,
    repos_url: `${self}/repos`,
    events_url: `${self}/events{/privacy}`,
    received_events_url: `${self}/received_events`,
    type,
    user_view_type: 'public',
    site_admin: false,
  };
}
