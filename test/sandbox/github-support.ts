/** Requests to the stand-in whose answers are held against GitHub's own OpenAPI description. */
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { expect } from 'vitest';
import {
  startGitHubStandIn,
  type GitHubStandIn,
  type GitHubStandInOptions,
} from '../../sandbox/github/server.js';
import { makeSampleRepository, type SampleRepository } from '../../sandbox/sample/repository.js';

interface Described {
  $ref?: string;
  content?: Record<string, { schema: object }>;
}

interface Description {
  paths: Record<string, Record<string, { responses: Record<string, Described> }>>;
  components: { schemas: Record<string, object>; responses: Record<string, Described> };
}

/** Ajv takes `nullable` beside a type only; GitHub's own errors are of several `oneOf` at once. */
function nullable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(nullable);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, one]): [string, unknown] => [
    key === 'oneOf' ? 'anyOf' : key,
    nullable(one),
  ]);
  const { nullable: isNullable, ...rest } = Object.fromEntries(entries);
  if (isNullable !== true) return Object.fromEntries(entries);
  return 'type' in rest ? { ...rest, nullable: true } : { anyOf: [rest, { enum: [null] }] };
}

let description: Description | undefined;
const validators = new Map<object, ValidateFunction>();

function describe(): Description {
  if (description) return description;
  const path = createRequire(import.meta.url).resolve('@octokit/openapi/package.json');
  const file = path.replace(/package\.json$/, 'generated/api.github.com.json');
  description = nullable(JSON.parse(readFileSync(file, 'utf8'))) as Description;
  return description;
}

function validatorOf(schema: object): ValidateFunction {
  const known = validators.get(schema);
  if (known) return known;
  const ajv = new Ajv({ strict: false, allErrors: true });
  (formats as unknown as (ajv: Ajv) => void)(ajv);
  // The description's own default of a status's addresses is the empty text.
  ajv.addFormat('uri', (text: string) => text === '' || URL.canParse(text));
  const made = ajv.compile({ ...schema, components: describe().components });
  validators.set(schema, made);
  return made;
}

/** What GitHub describes for a status; its errors are `basic-error` where it describes none. */
function schemaOf(method: string, path: string, status: number): object | undefined {
  const { paths, components } = describe();
  const operation = paths[path]?.[method.toLowerCase()];
  if (!operation) throw new Error(`GitHub describes no ${method} ${path}`);
  let response = operation.responses[String(status)];
  if (response?.$ref) response = components.responses[response.$ref.split('/').at(-1) ?? ''];
  const schema = response?.content?.['application/json']?.schema;
  if (!schema && status < 300 && !response)
    throw new Error(`GitHub never answers ${status} to ${method} ${path}`);
  return schema ?? (status >= 400 ? components.schemas['basic-error'] : undefined);
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Body = any;

export interface Answered {
  status: number;
  body: Body;
  headers: Headers;
}

export interface Ask {
  /** Into the path of the description, `owner` and `repo` are there. */
  params?: Record<string, string | number>;
  query?: Record<string, string | number>;
  body?: unknown;
  token?: string;
  headers?: Record<string, string>;
}

/** Asks by a path of the description, and checks the answer's shape against what it says of this status. */
export async function ask(github: GitHubStandIn, route: string, options: Ask = {}): Promise<Answered> {
  const [method = '', template = ''] = route.split(' ');
  const params: Record<string, string | number> = {
    owner: 'WordPress',
    repo: 'openverse',
    ...options.params,
  };
  const path = template.replaceAll(/\{(\w+)\}/g, (_all, name: string) =>
    encodeURIComponent(params[name] ?? ''),
  );
  const query = new URLSearchParams(
    Object.entries(options.query ?? {}).map(([key, value]): [string, string] => [key, String(value)]),
  );
  const response = await fetch(`${github.url}${path}${query.size ? `?${query.toString()}` : ''}`, {
    method,
    headers: { authorization: `token ${options.token ?? TOKEN}`, ...options.headers },
    body: options.body === undefined ? null : JSON.stringify(options.body),
  });
  const text = await response.text();
  const body: Body = text === '' ? undefined : JSON.parse(text);
  const schema = schemaOf(method, template, response.status);
  if (schema) {
    const isValid = validatorOf(schema);
    const wrong = isValid(body)
      ? []
      : (isValid.errors ?? []).map((one) => `${one.instancePath} ${one.message}`);
    expect(wrong, `${route} ${response.status}: ${text.slice(0, 500)}`).toEqual([]);
  }
  return { status: response.status, body, headers: response.headers };
}

export const TOKEN = 'ghp_sluice';

const USERS = [
  { login: 'sluice', token: TOKEN, team: 'active' as const },
  { login: 'Sara', token: 'ghp_sara', team: 'active' as const },
  { login: 'reader', token: 'ghp_reader' },
  { login: 'weak', token: 'ghp_weak', team: 'active' as const, scopes: ['read:org'] },
];

export interface Stage {
  github: GitHubStandIn;
  dir: string;
  commits: SampleRepository['commits'];
}

/** A sample repository made once, and a copy of it with a stand-in of its own for each test. */
export async function createStages() {
  const root = await mkdtemp(join(tmpdir(), 'sluice-github-'));
  const sample = await makeSampleRepository(join(root, 'sample'));
  let count = 0;
  return {
    async stage(options: Partial<GitHubStandInOptions> = {}): Promise<Stage> {
      const dir = join(root, `copy-${++count}`);
      await cp(join(root, 'sample'), dir, { recursive: true });
      const repository = { owner: 'WordPress', name: 'openverse', dir };
      const github = await startGitHubStandIn({
        org: 'WordPress',
        team: 'openverse-maintainers',
        users: USERS,
        repository,
        ...options,
      });
      return { github, dir, commits: sample.commits };
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
}
