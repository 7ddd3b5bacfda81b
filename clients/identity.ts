/** Who a person is, and whether they are a maintainer: asked of GitHub, remembered for a while (rule 11). */
import { createHash } from 'node:crypto';
import { EMERGENCY } from '../domain/emergency.js';
import { refusalOfClient, refusalOfKind, tokenKind } from '../domain/tokens.js';
import { createGitHub, githubUrl, isToken, troubleOf, type GitHubTrouble } from './github.js';
import { Memory, type Answer } from './memory.js';
import { belongsToApp, type OAuthApp } from './oauth-app.js';

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
  /** `message`: why, where it is not simply that. */
  | { kind: 'not-a-member'; askedAt: number; message?: string }
  | Misconfigured
  | GitHubDown;

export interface Identities {
  /** Whose token it is (`GET /user`), where it is of a kind that is taken. The emergency token is `EMERGENCY`'s. */
  identify(token: string): Promise<Identity>;
  /**
   * Whether the login is an active member of the team. `fresh`: remembered answers count only with GitHub down.
   * `EMERGENCY` is one while GitHub is down and, unless `fresh`, nobody's membership is remembered: which people
   * the API remembered at acceptance, the worker that asks again cannot know.
   */
  isMaintainer(login: string, options?: { fresh?: boolean }): Promise<Membership>;
}

export interface IdentitiesOptions {
  org: string;
  /** Slug. */
  team: string;
  /** Sluice's own, or who gives it; it must see the team (`read:org`; an App: Members: read). */
  token?: string | (() => Promise<string | undefined>);
  /** What the token is called in messages; `GITHUB_TOKEN`. */
  credentials?: string;
  baseUrl?: string;
  timeoutMs?: number;
  now?: () => number;
  /** OAuth client ids whose tokens are taken; absent: none. */
  oauthClients?: readonly string[];
  /** Sluice's own OAuth or GitHub App: its tokens are taken too. */
  oauthApp?: OAuthApp;
  /** Whether a token is `SLUICE_EMERGENCY_TOKEN`; absent: there is none. */
  isEmergency?: (token: string) => boolean;
}

const FRESH_MS = 60_000;
const DOWN_MS = 24 * 3_600_000;
const LIMIT = 10_000;
/** As GitHub makes logins, those of managed users and apps included. */
const LOGIN = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_-])?(?:\[bot\])?$/;

/** Keep one for the process: what it remembers is what counts while GitHub is down. */
export function createIdentities(options: IdentitiesOptions): Identities {
  const now = options.now ?? Date.now;
  const isMaintainer = membership(options, now);
  const identify = identifier(options, now);
  return {
    isMaintainer,
    identify: async (token) =>
      options.isEmergency?.(token) ? await emergency(isMaintainer, now()) : await identify(token),
  };
}

const unauthenticated = (message: string): Identity => ({ kind: 'unauthenticated', message });

/** Never sent to GitHub: it is none of its tokens. */
async function emergency(isMaintainer: Identities['isMaintainer'], askedAt: number): Promise<Identity> {
  const answer = await isMaintainer(EMERGENCY);
  if (answer.kind === 'member') return { kind: 'known', login: EMERGENCY, askedAt };
  return answer.kind === 'not-a-member' ? unauthenticated(answer.message ?? TAKEN_BY_GITHUB) : answer;
}

const TAKEN_BY_GITHUB = `GitHub knows the login ${EMERGENCY}, which Sluice keeps for its emergency token`;

function identifier(options: IdentitiesOptions, now: () => number): Identities['identify'] {
  const { baseUrl } = options;
  const logins = new Memory<string>(LIMIT);
  // Apart from the logins: tokens that nobody has could otherwise push out what people need.
  const refused = new Memory<string>(1_000);
  const known = ({ value: login, askedAt }: Answer<string>): Identity => ({ kind: 'known', login, askedAt });

  return async (token) => {
    if (!isToken(token)) return unauthenticated('this is not a GitHub token');
    const unfit = refusalOfKind(tokenKind(token));
    if (unfit !== undefined) return unauthenticated(unfit);
    const key = createHash('sha256').update(token).digest('base64');
    const askedAt = now();
    const login = logins.get(key);
    const refusal = refused.get(key);
    if (isWithin(login, FRESH_MS, askedAt)) return known(login);
    if (isWithin(refusal, FRESH_MS, askedAt)) return unauthenticated(refusal.value);
    const refuse = (message: string): Identity => {
      logins.delete(key);
      refused.set(key, { value: message, askedAt });
      return unauthenticated(message);
    };

    const answer = await whoHolds(options, token, now);
    if (answer.kind === 'answer') {
      if (answer.refusal !== undefined) return refuse(answer.refusal);
      if (answer.value.toLowerCase() === EMERGENCY) return refuse(TAKEN_BY_GITHUB);
      logins.set(key, { value: answer.value, askedAt });
      refused.delete(key);
      return known({ value: answer.value, askedAt });
    }
    if (answer.kind === 'refused') {
      if (answer.status !== 401 && answer.status !== 403)
        return wrongUrl(answer.status, 'GET /user', baseUrl);
      return refuse('GitHub does not take this token');
    }
    if (answer.kind === 'misconfigured') return answer;
    const last = logins.get(key);
    const lastRefusal = refused.get(key);
    if (isWithin(last, DOWN_MS, now())) return known(last);
    if (isWithin(lastRefusal, DOWN_MS, now())) return unauthenticated(lastRefusal.value);
    return { ...answer, kind: 'github-down' };
  };
}

type Holder = { kind: 'answer'; value: string; refusal?: string } | GitHubTrouble | Misconfigured;

/** The login, and for an OAuth token also whose app it is of: GitHub names the client with every answer. */
async function whoHolds(options: IdentitiesOptions, token: string, now: () => number): Promise<Holder> {
  const { baseUrl, timeoutMs, oauthClients = [], oauthApp } = options;
  let client: string | undefined;
  const login = await asked(
    async () => {
      const github = createGitHub({ token, baseUrl, timeoutMs });
      const { data, headers } = await github.rest.users.getAuthenticated();
      const named = headers['x-oauth-client-id'];
      client = typeof named === 'string' && named !== '' ? named : undefined;
      return data.login;
    },
    (value) => typeof value === 'string' && LOGIN.test(value),
    now,
  );
  if (login.kind !== 'answer' || tokenKind(token) !== 'oauth') return login;
  if (client === undefined && oauthApp) {
    const own = await belongsToApp({ app: oauthApp, token, baseUrl, timeoutMs });
    if (own.kind !== 'answer') return own;
    if (own.value) client = oauthApp.clientId;
  }
  const taken = [...oauthClients, ...(oauthApp ? [oauthApp.clientId] : [])];
  const refusal = refusalOfClient(client, taken);
  return refusal === undefined ? login : { ...login, refusal };
}

function membership(options: IdentitiesOptions, now: () => number): Identities['isMaintainer'] {
  const { org, team, token = '', baseUrl, timeoutMs } = options;
  const members = new Memory<boolean>(LIMIT);
  const told = ({ value, askedAt }: Answer<boolean>): Membership => ({
    kind: value ? 'member' : 'not-a-member',
    askedAt,
  });
  const isRemembered = (one: Answer<boolean>): boolean => one.value && isWithin(one, DOWN_MS, now());
  const isUsable = typeof token === 'function' || isToken(token);
  const github = isUsable ? createGitHub({ token, baseUrl, timeoutMs }) : undefined;

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
    if (key === EMERGENCY) return inEmergency(answer, askedAt, !fresh && members.some(isRemembered));
    const value = answer.kind === 'answer' ? answer.value === 'active' : false;
    if (answer.kind === 'answer' || (answer.kind === 'refused' && answer.status === 404)) {
      members.set(key, { value, askedAt });
      return told({ value, askedAt });
    }
    if (answer.kind === 'refused') return ownCredentials(answer.status, options);
    const last = members.get(key);
    return isWithin(last, DOWN_MS, now()) ? told(last) : { ...answer, kind: 'github-down' };
  };
}

/** What GitHub says of the login itself never counts: only that it says nothing does. */
function inEmergency(
  answer: Awaited<ReturnType<typeof asked>>,
  askedAt: number,
  isRemembered: boolean,
): Membership {
  const outside = (message: string): Membership => ({ kind: 'not-a-member', askedAt, message });
  if (answer.kind !== 'down') return outside(`GitHub answers, so the emergency token is not taken: ${OWN}`);
  if (!isRemembered) return { kind: 'member', askedAt };
  return outside(`GitHub is down, but who was a maintainer in the last 24 hours still is: ${OWN}`);
}

const OWN = 'use a GitHub token of your own';

/** Who asks is not told more than that; who runs Sluice reads what to do. */
const ownCredentials = (
  status: number,
  { org, team, credentials = 'GITHUB_TOKEN' }: IdentitiesOptions,
): Misconfigured => ({
  kind: 'misconfigured',
  message:
    `GitHub answers ${status} to Sluice’s own ${credentials} when asked for the members of ${org}/${team}: ` +
    'give it valid ones that may read them (a token: read:org; a GitHub App: Members: read)',
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
