import { failed, notFound } from '../answers.js';
import { paged } from '../pages.js';
import type { Route, RouteRequest } from '../router.js';
import { accountBody } from '../shapes/account.js';

const DOCS = 'https://docs.github.com/rest/teams/members#get-team-membership-for-a-user';
const MAY_READ_TEAMS = ['read:org', 'write:org', 'admin:org'];

const same = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase();

const mayReadTeams = ({ caller }: RouteRequest): boolean =>
  caller?.permissions
    ? caller.permissions['members'] !== undefined
    : (caller?.scopes?.some((scope) => MAY_READ_TEAMS.includes(scope)) ?? false);

const isThere = ({ params, user, state }: RouteRequest): boolean =>
  !(user && !user.inOrg) && same(params['org'], state.org) && same(params['team'], state.team);

export const teams: Route[] = [
  {
    method: 'GET',
    path: '/orgs/{org}/teams/{team}',
    handle(request) {
      if (!mayReadTeams(request) || !isThere(request)) return notFound(DOCS);
      const { state, url } = request;
      const { team: slug } = state;
      const body = { id: 1, name: slug, slug, privacy: 'closed', permission: 'push', parent: null };
      return {
        status: 200,
        body: {
          ...body,
          members_count: state.members().filter((one) => one.state === 'active').length,
          html_url: `${url}/orgs/${state.org}/teams/${slug}`,
        },
      };
    },
  },
  {
    method: 'GET',
    path: '/orgs/{org}/teams/{team}/members',
    handle(request) {
      if (!mayReadTeams(request) || !isThere(request)) return notFound(DOCS);
      const { state, url } = request;
      const active = state.members().filter((one) => one.state === 'active');
      return paged(request, active, ({ login }) => accountBody(login, state, url));
    },
  },
  {
    method: 'GET',
    path: '/orgs/{org}/teams/{team}/memberships/{login}',
    handle({ params, user, caller, state, url }) {
      const mayRead = caller?.permissions
        ? caller.permissions['members'] !== undefined
        : caller?.scopes?.some((scope) => MAY_READ_TEAMS.includes(scope));
      if (!mayRead) {
        const by = caller?.app || caller?.clientId ? 'integration' : 'personal access token';
        return failed(403, `Resource not accessible by ${by}`, DOCS);
      }
      // Whoever does not see the team gets the answer of a team that is not there.
      if ((user && !user.inOrg) || !same(params['org'], state.org) || !same(params['team'], state.team))
        return notFound(DOCS);
      const member = state.memberState(params['login'] ?? '');
      if (!member) return notFound(DOCS);
      const login = state.user(params['login'] ?? '')?.login;
      const membership = `${url}/organizations/1/team/1/memberships/${login}`;
      return { status: 200, body: { state: member, role: 'member', url: membership } };
    },
  },
];
