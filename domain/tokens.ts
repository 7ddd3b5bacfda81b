/**
 * Whose word a GitHub token is: a person's own, or an app's that a person let in once. The prefix tells the
 * kind; which app an OAuth token belongs to only GitHub tells.
 */

export type TokenKind =
  | 'personal'
  /** Of an OAuth app, or of a GitHub App for a person. */
  | 'oauth'
  | 'installation'
  | 'refresh'
  /** 40 hex: until 2021 personal and OAuth tokens alike looked so. */
  | 'classic'
  | 'unknown';

const PREFIXES: readonly (readonly [prefix: string, kind: TokenKind])[] = [
  ['ghp_', 'personal'],
  ['github_pat_', 'personal'],
  ['gho_', 'oauth'],
  ['ghu_', 'oauth'],
  ['ghs_', 'installation'],
  ['ghr_', 'refresh'],
];

/** What follows a prefix: no dot, dash or blank has ever stood in one that a person holds. */
const REST = /^[A-Za-z0-9_]+$/;

export function tokenKind(token: string): TokenKind {
  if (/^[0-9a-f]{40}$/i.test(token)) return 'classic';
  const [prefix = '', kind = 'unknown'] = PREFIXES.find(([one]) => token.startsWith(one)) ?? [];
  // Installation tokens may hold a JWT.
  return kind === 'installation' || REST.test(token.slice(prefix.length)) ? kind : 'unknown';
}

const MAKE_ONE = 'make a personal token (ghp_… or github_pat_…) or use the one of GitHub CLI (gh auth token)';

const REFUSALS: Record<Exclude<TokenKind, 'personal' | 'oauth'>, string> = {
  installation: `This is the token of an installation of a GitHub App (ghs_…): it is nobody’s; ${MAKE_ONE}`,
  refresh: `This is a refresh token (ghr_…): it identifies nobody; ${MAKE_ONE}`,
  // Rule 11: it may be one that any OAuth app obtained, and does not tell. Refused rather than guessed.
  classic: `This token has GitHub’s form from before 2021, which does not tell whose app it is: ${MAKE_ONE}`,
  unknown: `This is not a GitHub token of a kind that Sluice takes: ${MAKE_ONE}`,
};

/** Why a token of this kind is never taken; undefined where GitHub is to be asked. */
export const refusalOfKind = (kind: TokenKind): string | undefined =>
  kind === 'personal' || kind === 'oauth' ? undefined : REFUSALS[kind];

/**
 * Why an OAuth token is not taken: one that another app obtained would deploy production.
 * @param client the OAuth client it belongs to, as GitHub says; undefined where GitHub does not say
 */
export function refusalOfClient(client: string | undefined, taken: readonly string[]): string | undefined {
  if (client !== undefined && taken.includes(client)) return undefined;
  const whose = client === undefined ? 'of an app that GitHub does not name' : 'of another app';
  return `This is an OAuth token ${whose}; Sluice takes those of access.oauthClients only: ${MAKE_ONE}`;
}
