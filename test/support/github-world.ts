/** A GitHub with a real repository, Sluice's credentials for it, and what Sluice sends held against GitHub's description. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { createCredentials, type Credentials } from '../../clients/github-credentials.js';
import { fillConfig } from '../../domain/config/fill.js';
import type { Config } from '../../domain/config/config.js';
import { startGitHubStandIn, type GitHubStandIn } from '../../sandbox/github/server.js';
import { createSource, type SourceRepository } from './source.js';

export interface GitHubWorld {
  github: GitHubStandIn;
  source: SourceRepository;
  config: Config;
  credentials: Credentials;
  /** The same ones, that give up on an answer after `TIMEOUT_MS`. */
  impatient: Credentials;
  /** What of Sluice's requests GitHub's description does not have. */
  wrong: string[];
  close(): Promise<void>;
}

export const TIMEOUT_MS = 600;
/** Carried out only after the client gave up. */
export const LATE_MS = 1_200;

export const testConfig = (): Config =>
  fillConfig(
    {
      repository: { owner: 'WordPress', name: 'openverse', branch: 'main' },
      maintainers: { org: 'WordPress', team: 'openverse-maintainers' },
      aws: { region: 'us-east-1' },
      environments: {},
      apps: {},
    },
    'https://github.com',
  );

export async function createWorld(): Promise<GitHubWorld> {
  const source = await createSource();
  await source.commit({ 'README.md': 'first\n' }, 'first');
  const github = await startGitHubStandIn({
    org: 'WordPress',
    team: 'openverse-maintainers',
    users: [
      { login: 'sara', token: 'ghp_sara', team: 'active' },
      { login: 'sluice-bot', token: 'ghp_sluice', team: 'active' },
      { login: 'weak', token: 'ghp_weak', scopes: [] },
    ],
    repository: { owner: 'WordPress', name: 'openverse', dir: source.directory },
  });
  const config = testConfig();
  const env = { GITHUB_TOKEN: 'ghp_sluice', GITHUB_API_URL: github.url };
  const wrong: string[] = [];
  const make = (timeoutMs?: number): Credentials => {
    const made = createCredentials(env, config, timeoutMs === undefined ? {} : { timeoutMs });
    made.octokit().hook.before('request', (request) => {
      const { method, url, body } = made.octokit().request.endpoint({ ...request });
      wrong.push(...requestTrouble(method, new URL(url).pathname, body));
    });
    return made;
  };
  const close = async (): Promise<void> => {
    await github.close();
    await source.remove();
  };
  return { github, source, config, credentials: make(), impatient: make(TIMEOUT_MS), wrong, close };
}

/**
 * As Temporal tries again: what may mend, after a while.
 * @param settleMs how long it waits where the failure asks for seconds
 */
export async function driven<T>(
  work: () => Promise<T>,
  settleMs = LATE_MS - TIMEOUT_MS + 300,
  most = 40,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ApplicationFailure) || error.nonRetryable || attempt === most) throw error;
      await sleep(Number(error.nextRetryDelay ?? 0) >= 5_000 ? settleMs : 10);
    }
  }
}

interface Description {
  paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: Schema }> } }>>;
  components: object;
}
type Schema = object & { properties?: Record<string, unknown>; oneOf?: Schema[] };

let description: Description | undefined;
const validators = new Map<Schema, ValidateFunction>();

function described(): Description {
  if (description) return description;
  const path = createRequire(import.meta.url).resolve('@octokit/openapi/package.json');
  const file = path.replace(/package\.json$/, 'generated/api.github.com.json');
  return (description = JSON.parse(readFileSync(file, 'utf8')) as Description);
}

/** The path as GitHub describes it: of those that fit, the one with the most literal parts. */
function templateOf(method: string, path: string): string | undefined {
  const parts = path.split('/');
  const literals = (template: string) => template.split('/').filter((part) => !part.startsWith('{')).length;
  return Object.keys(described().paths)
    .filter((template) => {
      const wanted = template.split('/');
      return (
        described().paths[template]?.[method] !== undefined &&
        wanted.length === parts.length &&
        wanted.every((part, index) => part.startsWith('{') || part === parts[index])
      );
    })
    .sort((a, b) => literals(b) - literals(a))[0];
}

export function requestTrouble(method: string, path: string, body: unknown): string[] {
  const template = templateOf(method.toLowerCase(), path);
  if (template === undefined) return [`${method} ${path}: no such route`];
  const schema =
    described().paths[template]?.[method.toLowerCase()]?.requestBody?.content['application/json']?.schema;
  if (!schema) return body === undefined ? [] : [`${method} ${template}: takes no body`];
  const is = validators.get(schema) ?? compiled(schema);
  validators.set(schema, is);
  const value: unknown = typeof body === 'string' ? JSON.parse(body) : body;
  const isGood = is(value);
  const properties = [schema, ...(schema.oneOf ?? [])].flatMap((one) => Object.keys(one.properties ?? {}));
  const unknown = Object.keys(value as object).filter((key) => !properties.includes(key));
  return [
    ...(isGood ? [] : [`${method} ${template}: ${JSON.stringify(is.errors)}`]),
    ...unknown.map((key) => `${method} ${template}: ${key} is not described`),
  ];
}

function compiled(schema: Schema): ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: true, formats: { 'repo.nwo': true } });
  (formats as unknown as { default: (ajv: Ajv) => void } & ((ajv: Ajv) => void))(ajv);
  return ajv.compile({ ...schema, components: described().components });
}
