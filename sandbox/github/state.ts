/** What the stand-in of GitHub knows: people, their tokens, one organisation with one team. */

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
}

export interface User {
  id: number;
  login: string;
  inOrg: boolean;
  scopes: string[];
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
  readonly #tokens = new Map<string, string>();
  readonly #team = new Map<string, TeamState>();
  readonly #spent = new Map<string, Spent>();

  constructor(org: string, team: string, users: readonly UserOptions[]) {
    this.org = org;
    this.team = team;
    for (const user of users) this.addUser(user);
  }

  addUser({ login, token, team, inOrg = true, scopes = ['read:org', 'repo'] }: UserOptions): void {
    const key = login.toLowerCase();
    const id = this.#users.get(key)?.id ?? this.#users.size + 1;
    this.#users.set(key, { id, login, inOrg, scopes });
    this.#tokens.set(token, key);
    if (team) this.#team.set(key, team);
  }

  revokeToken(token: string): void {
    this.#tokens.delete(token);
  }

  userOf(token: string): User | undefined {
    return this.#users.get(this.#tokens.get(token) ?? '');
  }

  user(login: string): User | undefined {
    return this.#users.get(login.toLowerCase());
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
