import type { Answer } from './answers.js';
import type { Faults } from './faults.js';
import type { GitHubState, User } from './state.js';

export interface RouteRequest {
  /** Named parts of the path, decoded. */
  params: Record<string, string>;
  query: URLSearchParams;
  /** Parsed JSON; undefined where nothing was sent. */
  body: unknown;
  /** Whose token came; undefined where none or a wrong one did. */
  user?: User;
  state: GitHubState;
  faults: Faults;
  /** Of this server, without a slash at the end. */
  url: string;
}

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/orgs/{org}/teams/{team}` */
  path: string;
  /** Answers without a valid token too. */
  open?: boolean;
  handle(request: RouteRequest): Answer;
}

/** Finds the route of a method and path, and decodes the path's parts. */
export function createRouter(routes: readonly Route[]) {
  const compiled = routes.map((route) => ({ route, parts: route.path.split('/') }));
  return (method: string, path: string): { route: Route; params: Record<string, string> } | undefined => {
    const given = path.split('/');
    for (const { route, parts } of compiled) {
      if (route.method !== method || parts.length !== given.length) continue;
      const params: Record<string, string> = {};
      const fits = parts.every((part, index) => {
        const value = given[index] ?? '';
        if (!part.startsWith('{')) return part === value;
        params[part.slice(1, -1)] = decoded(value);
        return value !== '';
      });
      if (fits) return { route, params };
    }
    return undefined;
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
