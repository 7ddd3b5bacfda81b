/** Who a person is, and whether they are a maintainer: asked of GitHub, remembered for a while (rule 11). */
import { createHash } from 'node:crypto';
import { createGitHub, githubUrl, isToken, troubleOf, type GitHubTrouble } from './github.js';
import { Memory, type Answer } from './memory.js';

export interface GitHubDown {
  kind: 'github-down';
  message: string;
  /** When GitHub says it may be asked again, in milliseconds from now. */
  afterMs?: number;
}

/** Sluice's own settings are wrong: nobody is let in until who runs it has corrected them. */
export interface Misconfigured {
  kind: 'misconfigured';
  message: string;
}

/** `askedAt` (epoch ms) is older than this call where the answer is a remembered one. */
export type Identity =
  | { kind: 'known'; login: string; askedAt: number }
  | { kind: 'unauthenticated'; message: string }
  | Misconfigured
  | GitHubDown;

export type Membership =
  | { kind: 'member'; askedAt: number }
  | { kind: 'not-a-member'; askedAt: number }
  | Misconfigured
  | GitHubDown;

export interface Identities {
  /** Whose token it is (`GET /user`). */
  identify(token: string): Promise<Identity>;
  /** Whether the login is an active member of the team. `fresh`: remembered answers count only with GitHub down. */
  isMaintainer(login: string, options?: { fresh?: boolean }): Promise<Membership>;
}

export interface IdentitiesOptions {
  org: string;
  /** Slug. */
  team: string;
  /** Sluice's own; it must see the team (`read:org`). `GITHUB_TOKEN`. */
  token?: string;
  baseUrl?: string;
  timeoutMs?: number;
  now?: () => number;
}

const FRESH_MS = 60_000;
const DOWN_MS = 24 * 3_600_000;
const LIMIT = 10_000;
/** As GitHub makes logins, those of managed users and apps included. */
const LOGIN = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_-])?(?:\[bot\])?$/;

/** Keep one for the process: what it remembers is what counts while GitHub is down. */
export function createIdentities(options: IdentitiesOptions): Identities {
  const now = options.now ?? Date.now;
  return { identify: identifier(options, now), isMaintainer: membership(options, now) };
}

const UNAUTHENTICATED: Identity = { kind: 'unauthenticated', message: 'GitHub does not take this token' };

function identifier({ baseUrl, timeoutMs }: IdentitiesOptions, now: () => number): Identities['identify'] {
  const logins = new Memory<string>(LIMIT);
  // Apart from the logins: tokens that nobody has could otherwise push out what people need.
  const refused = new Memory<true>(1_000);
  const known = ({ value: login, askedAt }: Answer<string>): Identity => ({ kind: 'known', login, askedAt });

  return async (token) => {
    if (!isToken(token)) return { kind: 'unauthenticated', message: 'this is not a GitHub token' };
    const key = createHash('sha256').update(token).digest('base64');
    const askedAt = now();
    const login = logins.get(key);
    const refusal = refused.get(key);
    if (isWithin(login, FRESH_MS, askedAt)) return known(login);
    if (isWithin(refusal, FRESH_MS, askedAt)) return UNAUTHENTICATED;

    const answer = await asked(
      async () =>
        (await createGitHub({ token, baseUrl, timeoutMs }).rest.users.getAuthenticated()).data.login,
      (value) => typeof value === 'string' && LOGIN.test(value),
      now,
    );
    if (answer.kind === 'answer') {
      logins.set(key, { value: answer.value, askedAt });
      refused.delete(key);
      return known({ value: answer.value, askedAt });
    }
    if (answer.kind === 'refused') {
      if (answer.status !== 401 && answer.status !== 403)
        return wrongUrl(answer.status, 'GET /user', baseUrl);
      logins.delete(key);
      refused.set(key, { value: true, askedAt });
      return UNAUTHENTICATED;
    }
    if (isWithin(login, DOWN_MS, now())) return known(login);
    if (isWithin(refusal, DOWN_MS, now())) return UNAUTHENTICATED;
    return { ...answer, kind: 'github-down' };
  };
}

function membership(options: IdentitiesOptions, now: () => number): Identities['isMaintainer'] {
  const { org, team, token = '', baseUrl, timeoutMs } = options;
  const members = new Memory<boolean>(LIMIT);
  const told = ({ value, askedAt }: Answer<boolean>): Membership => ({
    kind: value ? 'member' : 'not-a-member',
    askedAt,
  });
  const github = isToken(token) ? createGitHub({ token, baseUrl, timeoutMs }) : undefined;

  return async (login, { fresh = false } = {}) => {
    const askedAt = now();
    if (!LOGIN.test(login)) return { kind: 'not-a-member', askedAt };
    if (!github) return { kind: 'misconfigured', message: 'GITHUB_TOKEN is not set, or is no token' };
    const key = login.toLowerCase();
    const before = members.get(key);
    if (!fresh && isWithin(before, FRESH_MS, askedAt)) return told(before);

    const answer = await asked(
      async () => {
        const question = { org, team_slug: team, username: login };
        return (await github.rest.teams.getMembershipForUserInOrg(question)).data.state;
      },
      (state) => state === 'active' || state === 'pending',
      now,
    );
    const value = answer.kind === 'answer' ? answer.value === 'active' : false;
    if (answer.kind === 'answer' || (answer.kind === 'refused' && answer.status === 404)) {
      members.set(key, { value, askedAt });
      return told({ value, askedAt });
    }
    if (answer.kind === 'refused') return ownCredentials(answer.status, org, team);
    const last = members.get(key);
    return isWithin(last, DOWN_MS, now()) ? told(last) : { ...answer, kind: 'github-down' };
  };
}

/** Who asks is not told more than that; who runs Sluice reads what to do. */
const ownCredentials = (status: number, org: string, team: string): Misconfigured => ({
  kind: 'misconfigured',
  message:
    `GitHub answers ${status} to Sluice’s own GITHUB_TOKEN when asked for the members of ${org}/${team}: ` +
    'give it a valid token that may read them (read:org)',
});

const wrongUrl = (status: number, route: string, baseUrl?: string): Misconfigured => ({
  kind: 'misconfigured',
  message: `${new URL(githubUrl(baseUrl)).host} answers ${status} to ${route}: is GITHUB_API_URL right?`,
});

const isWithin = <T>(answer: Answer<T> | undefined, ms: number, now: number): answer is Answer<T> =>
  answer !== undefined && now - answer.askedAt < ms;

/** An answer of another form than GitHub's (a proxy's page, a body cut off) is no answer. */
async function asked(
  ask: () => Promise<string>,
  isGood: (value: string) => boolean,
  now: () => number,
): Promise<{ kind: 'answer'; value: string } | GitHubTrouble> {
  try {
    const value = await ask();
    if (isGood(value)) return { kind: 'answer', value };
    return { kind: 'down', message: 'what answers for GitHub does not answer as GitHub does' };
  } catch (error) {
    return troubleOf(error, now());
  }
}
