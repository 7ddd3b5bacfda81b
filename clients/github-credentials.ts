/** Sluice's own credentials at GitHub: a token, or an App that is installed on the repository. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { createAppAuth } from '@octokit/auth-app';
import type { Octokit } from '@octokit/rest';
import type { Config } from '../domain/config/config.js';
import { ConfigError } from './config.js';
import { createGitHub, CredentialsError, isToken, troubleOf, type GitHubTrouble } from './github.js';

export interface Credentials {
  /** Constructed once; sends once. Without credentials it asks as nobody. */
  octokit(): Octokit;
  /**
   * For HTTPS clones and other clients; lasts a few minutes more at least. Undefined without credentials.
   * @throws {CredentialsError} an App's token cannot be had now
   */
  token(): Promise<string | undefined>;
  /**
   * Of an App's installation; undefined for a token, of which GitHub does not tell.
   * @throws {CredentialsError}
   */
  permissions(): Promise<Record<string, string> | undefined>;
  /** For messages, without anything secret: `GITHUB_TOKEN`, `GitHub App 12345`. */
  describe(): string;
}

export interface CredentialsOptions {
  /** Of one request. GitHub itself ends one after 10 s: what was given up on is over, not on its way. */
  timeoutMs?: number;
  now?: () => number;
}

type Environment = Record<string, string | undefined>;
type Where = { repository: Pick<Config['repository'], 'owner' | 'name'> };

const TIMEOUT_MS = 12_000;
/** A token is not used in its last minutes: a clone that begins with it has to end with it. */
const SPARE_MS = 5 * 60_000;

/**
 * `GITHUB_APP_ID` + `GITHUB_APP_PRIVATE_KEY`, else `GITHUB_TOKEN`; `GITHUB_API_URL`. One per process.
 * @throws {ConfigError} one line: which variable is wrong, and what to set
 */
export function createCredentials(
  env: Environment,
  config: Where,
  { timeoutMs = TIMEOUT_MS, now = Date.now }: CredentialsOptions = {},
): Credentials {
  const baseUrl = env['GITHUB_API_URL'];
  const common = { timeoutMs, ...(baseUrl ? { baseUrl } : {}) };
  const app = appOf(env);
  if (!app) {
    const token = tokenOf(env);
    const octokit = createGitHub({ ...common, ...(token === undefined ? {} : { token }) });
    const described = token === undefined ? 'GITHUB_TOKEN (not set)' : 'GITHUB_TOKEN';
    return {
      octokit: () => octokit,
      token: () => Promise.resolve(token),
      permissions: () => Promise.resolve(undefined),
      describe: () => described,
    };
  }
  const name = `GitHub App ${app.id}`;
  const installation = new Installation(app, config.repository, createGitHub(common), now);
  const octokit = createGitHub({ ...common, token: () => installation.token() });
  octokit.hook.error('request', (error) => {
    if ('status' in error && error.status === 401) installation.forget();
    throw error;
  });
  return {
    octokit: () => octokit,
    token: () => installation.token(),
    permissions: () => installation.permissions(),
    describe: () => name,
  };
}

interface App {
  id: string;
  /** PKCS#8 PEM. */
  privateKey: string;
}

function tokenOf(env: Environment): string | undefined {
  const token = env['GITHUB_TOKEN']?.trim();
  if (!token) return undefined;
  if (isToken(token)) return token;
  throw new ConfigError('GITHUB_TOKEN is no token: it holds blanks or characters that no token has');
}

function appOf(env: Environment): App | undefined {
  const id = env['GITHUB_APP_ID']?.trim();
  const key = env['GITHUB_APP_PRIVATE_KEY']?.trim();
  if (!id && !key) return undefined;
  if (!id) throw new ConfigError('GITHUB_APP_PRIVATE_KEY is set without GITHUB_APP_ID: set both, or neither');
  if (!key)
    throw new ConfigError('GITHUB_APP_ID is set without GITHUB_APP_PRIVATE_KEY: set both, or neither');
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(id)) {
    throw new ConfigError('GITHUB_APP_ID is neither an App’s number nor its client id');
  }
  return { id, privateKey: privateKeyOf(key) };
}

const WRONG_KEY =
  'GITHUB_APP_PRIVATE_KEY is not an RSA private key in PEM form: set it to the .pem file that GitHub gave ' +
  '(line breaks may be written as \\n, or the whole file as base64)';

/** Never shows what it was given. */
function privateKeyOf(given: string): string {
  const unquoted = given.replace(/^(["'])([^]*)\1$/, '$2').replaceAll('\\n', '\n');
  const pem = unquoted.includes('-----BEGIN') ? unquoted : Buffer.from(unquoted, 'base64').toString('utf8');
  let key: KeyObject;
  try {
    key = createPrivateKey(pem.replaceAll('\r\n', '\n'));
  } catch {
    throw new ConfigError(WRONG_KEY);
  }
  if (key.asymmetricKeyType !== 'rsa') throw new ConfigError(WRONG_KEY);
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The App's installation on the repository, and its token of the hour. */
class Installation {
  #id: number | undefined;
  #token: { value: string; until: number } | undefined;
  #permissions: Record<string, string> = {};
  #asking: Promise<string> | undefined;
  readonly #auth: ReturnType<typeof createAppAuth>;

  constructor(
    private readonly app: App,
    private readonly repository: Where['repository'],
    private readonly github: Octokit,
    private readonly now: () => number,
  ) {
    const { id: appId, privateKey } = app;
    this.#auth = createAppAuth({ appId, privateKey, request: github.request });
  }

  async token(): Promise<string> {
    if (this.#token && this.now() < this.#token.until) return this.#token.value;
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return await this.#asking;
  }

  async permissions(): Promise<Record<string, string>> {
    await this.token();
    return this.#permissions;
  }

  /** GitHub does not take it any more: it was revoked, or the App was installed anew. */
  forget(): void {
    this.#token = undefined;
    this.#id = undefined;
  }

  async #ask(): Promise<string> {
    try {
      this.#id ??= await this.#find();
      // `refresh`: the library's own memory goes by the clock, not by what GitHub said.
      const { token, expiresAt, permissions } = await this.#auth({
        type: 'installation',
        installationId: this.#id,
        refresh: true,
      });
      if (!isToken(token)) throw new TypeError('no token in the answer');
      this.#permissions = permissions;
      this.#token = { value: token, until: Date.parse(expiresAt) - SPARE_MS };
      return token;
    } catch (error) {
      this.#id = undefined;
      throw new CredentialsError(this.#explain(troubleOf(error, this.now())));
    }
  }

  async #find(): Promise<number> {
    const { token } = await this.#auth({ type: 'app' });
    const { owner, name: repo } = this.repository;
    const { data } = await this.github.rest.apps.getRepoInstallation({
      owner,
      repo,
      headers: { authorization: `bearer ${token}` },
    });
    return data.id;
  }

  /** Whatever the status was: to the caller it says that the credentials are no good. */
  #explain(trouble: GitHubTrouble): GitHubTrouble {
    if (trouble.kind === 'down') return trouble;
    const { owner, name } = this.repository;
    const why =
      trouble.status === 404
        ? `it is not installed on ${owner}/${name}: install it there`
        : 'check GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY, and that the App is not suspended';
    const message = `GitHub answers ${trouble.status} to GitHub App ${this.app.id}: ${why}`;
    return { kind: 'refused', status: 401, message };
  }
}
