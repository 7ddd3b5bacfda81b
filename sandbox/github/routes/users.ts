import { failed } from '../answers.js';
import type { Route } from '../router.js';
import type { User } from '../caller.js';

/** A person's public view of themselves, with every field that GitHub always sends. */
export function userBody({ id, login }: User, url: string) {
  const self = `${url}/users/${login}`;
  return {
    login,
    id,
    node_id: Buffer.from(`04:User${id}`).toString('base64'),
    avatar_url: `${url}/avatars/u/${id}?v=4`,
    gravatar_id: '',
    url: self,
    html_url: `${url}/${login}`,
    followers_url: `${self}/followers`,
    following_url: `${self}/following{/other_user}`,
    gists_url: `${self}/gists{/gist_id}`,
    starred_url: `${self}/starred{/owner}{/repo}`,
    subscriptions_url: `${self}/subscriptions`,
    organizations_url: `${self}/orgs`,
    repos_url: `${self}/repos`,
    events_url: `${self}/events{/privacy}`,
    received_events_url: `${self}/received_events`,
    type: 'User',
    user_view_type: 'public',
    site_admin: false,
    name: null,
    company: null,
    blog: '',
    location: null,
    email: null,
    hireable: null,
    bio: null,
    twitter_username: null,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: '2024-01-01T00:00:00Z',
    updated_at: '2024-01-01T00:00:00Z',
  };
}

export const users: Route[] = [
  {
    method: 'GET',
    path: '/user',
    handle: ({ user, url }) =>
      user
        ? { status: 200, body: userBody(user, url) }
        : failed(403, 'Resource not accessible by integration'),
  },
];
