/** Whose token came, and what it may do. */
import { failed, notFound, type Answer } from './answers.js';
import type { Caller } from './caller.js';

/** Who may push to the repository. */
interface Pushers {
  mayPush(login: string): boolean;
}

export interface Need {
  /** Any of these permissions, with `write`. */
  permissions: string[];
  /** Any of these scopes. */
  scopes?: string[];
  /** False: whoever can read may do it. */
  push?: boolean;
}

const INTEGRATION = 'Resource not accessible by integration';
const PERSONAL = 'Resource not accessible by personal access token';

/** Login of whoever made something: a person's, or `{slug}[bot]`. */
export const loginOf = ({ user, app }: Caller): string => user?.login ?? `${app?.slug ?? 'ghost'}[bot]`;

/**
 * Why a write is refused; undefined where it is not. GitHub says 403 where a permission is missing, and hides
 * what a scope or a role does not reach behind 404.
 */
export function refusal(caller: Caller, need: Need, state: Pushers, docs?: string): Answer | undefined {
  const { user, permissions, app, isJwt } = caller;
  if (isJwt) return failed(403, INTEGRATION, docs);
  const isOfApp = Boolean(app) || Boolean(caller.clientId && permissions);
  if (permissions && !need.permissions.some((name) => ['write', 'admin'].includes(permissions[name] ?? '')))
    return failed(403, isOfApp ? INTEGRATION : PERSONAL, docs);
  if (!user) return undefined;
  const scopes = need.scopes ?? ['repo', 'public_repo'];
  if (!permissions && !scopes.some((scope) => caller.scopes?.includes(scope))) return notFound(docs);
  if (need.push !== false && !state.mayPush(user.login))
    return permissions ? failed(403, PERSONAL, docs) : notFound(docs);
  return undefined;
}
