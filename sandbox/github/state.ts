/** What the stand-in of GitHub knows: people, tokens, apps, one organisation with one team. */
import { newToken } from './apps.js';
import { Grants } from './oauth.js';
import type { AppOptions, Caller, OAuthAppOptions, Permissions, User } from './caller.js';

export type TeamState = 'active' | 'pending';

export interface UserOptions {
  login: string;
  token: string;
  /** Absent: in the organisation, not in the team. */
  team?: TeamState;
  /** False: not in the organisation, whose teams GitHub then does not show. */
  inOrg?: boolean;
  /** Of the token. */
  scopes?: string[];
  /** OAuth client that obtained the token; absent: it is a personal one. */
  client?: string;
  /** Whether they may push to the repository; absent: active members of the team may. */
  push?: boolean;
  /** False: a machine, which the sign-in page does not offer. */
  signsIn?: boolean;
}

export interface TokenOptions {
  /** Absent: `ghp_…`, or `gho_…` (`ghu_…` where there are permissions) with a client id. */
  token?: string;
  login: string;
  /** The app that obtained it. */
  clientId?: string;
  scopes?: string[];
  /** Of a fine-grained (`github_pat_`) or a GitHub App's (`ghu_`) token: they count instead of scopes. */
  permissions?: Permissions;
}

interface Token {
  /** Key of the person; absent: an installation's. */
  login?: string;
  clientId?: string;
  scopes?: string[];
  permissions?: Permissions;
  app?: AppOptions;
  /** Epoch milliseconds. */
  expiresAt?: number;
}

export interface StateOptions {
  app?: AppOptions;
  oauthApps?: OAuthAppOptions[];
}

export interface Spent {
  used: number;
  /** Epoch seconds. */
  reset: number;
}

export interface AskedRequest {
  at: string;
  method: string;
  path: string;
  status: number;
  login?: string;
}

export class GitHubState {
  readonly org: string;
  readonly team: string;
  /** Newest last, at most 1000; without anything secret. */
  readonly requests: AskedRequest[] = [];
  readonly #users = new Map<string, User>();
  readonly app?: AppOptions;
  readonly oauthApps: OAuthAppOptions[];
  readonly grants = new Grants();
  readonly #tokens = new Map<string, Token>();
  readonly #team = new Map<string, TeamState>();
  readonly #spent = new Map<string, Spent>();

  constructor(org: string, team: string, users: readonly UserOptions[], options: StateOptions = {}) {
    this.org = org;
    this.team = team;
    this.app = options.app;
    this.oauthApps = [...(options.oauthApps ?? []), ...(options.app ? [options.app] : [])];
    for (const user of users) this.addUser(user);
  }

  addUser({
    login,
    token,
    team,
    inOrg = true,
    scopes = ['read:org', 'repo'],
    client,
    push,
    signsIn = true,
  }: UserOptions): void {
    const key = login.toLowerCase();
    const id = this.#users.get(key)?.id ?? this.#users.size + 1;
    this.#users.set(key, { id, login, inOrg, scopes, push, signsIn });
    this.#tokens.set(token, { login: key, scopes, ...(client ? { clientId: client } : {}) });
    if (team) this.#team.set(key, team);
  }

  /** Somebody who only writes pull requests: without a token, outside the organisation. */
  contributor(login: string): User {
    const known = this.user(login);
    if (known) return known;
    const user = { id: this.#users.size + 1, login, inOrg: false, scopes: [] };
    this.#users.set(login.toLowerCase(), user);
    return user;
  }

  /** @throws where there is no such person. */
  addToken({ login, clientId, permissions, scopes, token }: TokenOptions): string {
    if (!this.user(login)) throw new Error(`There is no ${login} in this GitHub`);
    const made = token ?? newToken(clientId ? (permissions ? 'ghu_' : 'gho_') : 'ghp_');
    this.#tokens.set(made, {
      login: login.toLowerCase(),
      clientId,
      permissions,
      ...(permissions ? {} : { scopes: scopes ?? ['read:org', 'repo'] }),
    });
    return made;
  }

  addInstallationToken(app: AppOptions, permissions: Permissions, expiresAt: number): string {
    const token = newToken('ghs_');
    this.#tokens.set(token, { app, permissions, expiresAt });
    return token;
  }

  revokeToken(token: string): void {
    this.#tokens.delete(token);
  }

  userOf(token: string): User | undefined {
    return this.#users.get(this.#tokens.get(token)?.login ?? '');
  }

  /** Whoever sent a token; undefined where it is none of ours, or no longer. */
  callerOf(token: string, now: number): Caller | undefined {
    const found = this.#tokens.get(token);
    if (!found || (found.expiresAt !== undefined && found.expiresAt <= now)) return undefined;
    const { login, app, ...rights } = found;
    if (app) return { app, ...rights };
    const user = this.#users.get(login ?? '');
    return user && { user, ...rights };
  }

  mayPush(login: string): boolean {
    const user = this.user(login);
    return user?.push ?? this.memberState(login) === 'active';
  }

  user(login: string): User | undefined {
    return this.#users.get(login.toLowerCase());
  }

  /** Logins of whoever can sign in by a browser. */
  people(): string[] {
    return [...this.#users.values()].filter(({ signsIn }) => signsIn).map(({ login }) => login);
  }

  /** @returns false where there is no such person. */
  addMember(login: string, state: TeamState = 'active'): boolean {
    if (!this.user(login)) return false;
    this.#team.set(login.toLowerCase(), state);
    return true;
  }

  removeMember(login: string): boolean {
    return this.#team.delete(login.toLowerCase());
  }

  memberState(login: string): TeamState | undefined {
    return this.#team.get(login.toLowerCase());
  }

  members(): { login: string; state: TeamState }[] {
    return [...this.#team].map(([key, state]) => ({ login: this.#users.get(key)?.login ?? key, state }));
  }

  /** Counts a request of a person, or of nobody, against their hour. */
  spend(login: string, nowSeconds: number): Spent {
    const before = this.#spent.get(login);
    const spent =
      before && before.reset > nowSeconds
        ? { used: before.used + 1, reset: before.reset }
        : { used: 1, reset: nowSeconds + 3_600 };
    this.#spent.set(login, spent);
    return spent;
  }

  record(request: AskedRequest): void {
    this.requests.push(request);
    if (this.requests.length > 1_000) this.requests.shift();
  }
}
