import type { Caller, User } from './caller.js';
import type { Answer } from './answers.js';
import type { Faults } from './faults.js';
import type { Repository } from './repository.js';
import type { GitHubState } from './state.js';

export interface RouteRequest {
  /** Named parts of the path, decoded. */
  params: Record<string, string>;
  query: URLSearchParams;
  /** As asked, before decoding. */
  path: string;
  /** Parsed JSON; undefined where nothing was sent. */
  body: unknown;
  /** Whose token came; undefined where none or a wrong one did. */
  user?: User;
  /** Whose token came, an app's too. */
  caller?: Caller;
  /** As sent. */
  headers: { accept?: string; authorization?: string };
  /** The one this GitHub has; undefined where it was started without. */
  repository?: Repository;
  state: GitHubState;
  faults: Faults;
  /** Of this server, without a slash at the end. */
  url: string;
}

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/orgs/{org}/teams/{team}`; at the end `{path*}` takes slashes too. */
  path: string;
  /** Answers without a valid token too. */
  open?: boolean;
  handle(request: RouteRequest): Answer | Promise<Answer>;
}

/** Finds the route of a method and path, and decodes the path's parts. */
export function createRouter(routes: readonly Route[]) {
  const compiled = routes.map((route) => ({ route, parts: route.path.split('/') }));
  return (method: string, path: string): { route: Route; params: Record<string, string> } | undefined => {
    const given = path.split('/');
    for (const { route, parts } of compiled) {
      if (route.method !== method) continue;
      const params = match(parts, given);
      if (params) return { route, params };
    }
    return undefined;
  };
}

function match(parts: readonly string[], given: readonly string[]): Record<string, string> | undefined {
  const isOpenEnded = parts.at(-1)?.endsWith('*}') ?? false;
  if (isOpenEnded ? given.length < parts.length : given.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  const fits = parts.every((part, index) => {
    const rest = part.endsWith('*}');
    const value = rest ? given.slice(index).join('/') : (given[index] ?? '');
    if (!part.startsWith('{')) return part === value;
    params[part.slice(1, rest ? -2 : -1)] = decoded(value);
    return value !== '';
  });
  return fits ? params : undefined;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
