/** The files for Compose by its own loader, which needs no Docker; and what they must hold beyond the schema. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SECRETS } from '../../clients/secret-files.js';
import { installsGit, stages } from './dockerfile.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SET = {
  POSTGRES_PASSWORD: 'of-postgres',
  SLUICE_PUBLIC_URL: 'https://sluice.test',
  AWS_REGION: 'us-east-1',
  DOCKER_GROUP: '999',
};

interface Service {
  image?: string;
  build?: { target?: string; context: string };
  environment?: Record<string, string | null>;
  healthcheck?: { test?: string[]; disable?: boolean };
  depends_on?: Record<string, { condition: string }>;
  entrypoint?: string[] | null;
  command?: string[] | null;
  ports?: { host_ip?: string; published?: string }[];
  profiles?: string[];
  read_only?: boolean;
  cap_drop?: string[];
  secrets?: { source: string }[];
  volumes?: { type: string; source: string; target: string; read_only?: boolean }[];
}

interface Project {
  services: Record<string, Service>;
  secrets: Record<string, { environment?: string }>;
}

const MAIN = 'docker-compose.yml';
const SANDBOX = 'docker-compose.sandbox.yml';

function load(
  env: Record<string, string>,
  file = MAIN,
): { status: number | null; stdout: string; stderr: string } {
  const check = process.env['SLUICE_COMPOSE_CHECK'];
  if (!check) throw new Error('SLUICE_COMPOSE_CHECK is not set: run .ci/cluster.sh');
  return spawnSync(check, [file], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    encoding: 'utf8',
  });
}

const project = (env: Record<string, string> = SET, file = MAIN): Project => {
  const { status, stdout, stderr } = load(env, file);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout) as Project;
};
const OURS = ['setup', 'api', 'worker', 'build-worker', 'doctor'];

describe('docker-compose.yml', () => {
  it('is one that Compose takes, with everything of the topology', () => {
    expect(Object.keys(project().services).sort()).toEqual([
      ...['api', 'build-worker', 'doctor', 'postgres', 'setup'],
      ...['temporal', 'temporal-namespace', 'temporal-schema', 'temporal-ui', 'worker'],
    ]);
  });

  it.each(Object.keys(SET))('does not start without %s, and says so', (name) => {
    const { [name as keyof typeof SET]: _left, ...rest } = SET;
    const { status, stderr } = load(rest);
    expect(status).toBe(1);
    expect(stderr).toContain(`required variable ${name} is missing a value`);
  });

  it('gives no secret a default', () => {
    const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
    const defaults = [...text.matchAll(/\$\{(\w+):?-[^}]+\}/g)].map(([, name]) => name ?? '');
    expect(defaults.filter((name) => /SECRET|TOKEN|PASSWORD|KEY/.test(name))).toEqual([]);
    for (const { environment = {} } of Object.values(project().services)) {
      for (const [name, value] of Object.entries(environment)) {
        if (/(SECRET|TOKEN|KEY)$/.test(name)) expect(value, name).toBeNull();
      }
    }
  });

  it('pins every image', () => {
    for (const [name, { image = '' }] of Object.entries(project().services)) {
      expect(image, name).toMatch(/:[\w.-]+$/);
      expect(image, name).not.toMatch(/:latest$/);
    }
  });

  it('knows of everything that stays up whether it is well', () => {
    const images = stages();
    const { services } = project();
    for (const name of ['postgres', 'temporal', 'temporal-ui', 'api', 'worker', 'build-worker']) {
      const { healthcheck, build } = services[name] ?? {};
      const image = images.get(build?.target ?? '') ?? '';
      expect(Boolean(healthcheck?.test) || image.includes('HEALTHCHECK'), name).toBe(true);
    }
  });

  it('brings things up in order: schema, server, namespace, setup, processes', () => {
    const { services } = project();
    const on = (name: string) =>
      Object.entries(services[name]?.depends_on ?? {}).map(([one, { condition }]) => `${one} ${condition}`);
    expect(on('temporal-schema')).toEqual(['postgres service_healthy']);
    expect(on('temporal')).toEqual(['temporal-schema service_completed_successfully']);
    expect(on('temporal-namespace')).toEqual(['temporal service_healthy']);
    expect(on('setup')).toEqual(['temporal-namespace service_completed_successfully']);
    for (const name of ['api', 'worker', 'build-worker', 'doctor'])
      expect(on(name)).toEqual(['setup service_completed_successfully']);
  });

  it('lets our processes write nowhere but where they must, and be reached from this machine only', () => {
    const { services } = project();
    for (const name of OURS) {
      expect(services[name], name).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    }
    const published = Object.values(services).flatMap(({ ports = [] }) => ports);
    expect(published.length).toBeGreaterThan(0);
    for (const port of published) expect(port.host_ip).toBe('127.0.0.1');
  });

  it('mounts and runs only what is there', () => {
    const { services } = project();
    const scripts = Object.values(services).flatMap(({ entrypoint, command }) => [
      ...(entrypoint ?? []),
      ...(command ?? []),
    ]);
    for (const script of scripts.filter((word) => /\.(sh|ts|mjs)$/.test(word))) {
      expect(existsSync(join(ROOT, script)), script).toBe(true);
    }
    const mounted = Object.values(services).flatMap(({ volumes = [] }) => volumes);
    for (const { type, source } of mounted) {
      if (type === 'bind' && source.startsWith(ROOT)) expect(existsSync(source), source).toBe(true);
    }
  });

  it('gives who looks for merges git, and a place to keep the mirror', () => {
    const { services } = project();
    for (const name of ['worker', 'build-worker', 'doctor']) {
      const { build, volumes } = services[name] ?? {};
      expect(installsGit(build?.target ?? ''), name).toBe(true);
      expect(volumes, name).toContainEqual(
        expect.objectContaining({ type: 'volume', source: 'checkouts', target: '/var/cache/sluice' }),
      );
    }
  });

  it('hands no secret of the environment to a read-only service: Compose refuses to make one there', () => {
    const { services, secrets } = project();
    for (const [name, service] of Object.entries(services)) {
      if (!service.read_only) continue;
      const ofEnvironment = (service.secrets ?? []).filter(({ source }) => secrets[source]?.environment);
      expect(ofEnvironment, name).toEqual([]);
    }
  });

  it('takes each of Sluice’s secrets from the environment or from a file', () => {
    const { services } = project();
    const known = new Set<string>(SECRETS);
    for (const name of OURS) {
      const { environment = {}, volumes } = services[name] ?? {};
      const secrets = Object.keys(environment).filter((variable) => known.has(variable));
      expect(secrets.length, name).toBeGreaterThan(0);
      expect(Object.keys(environment)).toEqual(
        expect.arrayContaining(secrets.map((variable) => `${variable}_FILE`)),
      );
      expect(volumes, name).toContainEqual(
        expect.objectContaining({ source: join(ROOT, 'secrets'), target: '/run/secrets', read_only: true }),
      );
    }
    const passed = new Set(OURS.flatMap((name) => Object.keys(services[name]?.environment ?? {})));
    // Its own Temporal asks for no key.
    expect(SECRETS.filter((name) => !passed.has(name))).toEqual(['TEMPORAL_API_KEY']);
  });

  it('lets doctor see all that API, workers and build workers get, only when it is asked for', () => {
    const { services } = project();
    const { doctor } = services;
    for (const name of ['api', 'worker', 'build-worker'])
      expect(doctor?.environment, name).toMatchObject(services[name]?.environment ?? {});
    const profiled = Object.entries(services).filter(([, { profiles }]) => profiles?.length);
    expect(profiled.map(([name]) => name)).toEqual(['doctor']);
  });

  it('gives Temporal the file of dynamic configuration that it does not start without', () => {
    const { temporal } = project().services;
    const path = temporal?.environment?.['DYNAMIC_CONFIG_FILE_PATH'] ?? '';
    const mounted = temporal?.volumes?.find(({ target }) => path.startsWith(`${target}/`));
    expect(mounted).toMatchObject({ type: 'bind', read_only: true });
    const { source = '', target = '' } = mounted ?? {};
    expect(existsSync(join(source, path.slice(target.length))), path).toBe(true);
  });
});

describe('docker-compose.sandbox.yml', () => {
  it('is taken where nothing is set, and starts the sandbox and nothing else', () => {
    const { services } = project({}, SANDBOX);
    expect(Object.keys(services)).toEqual(['sandbox']);
    const { depends_on, secrets, environment, build, volumes } = services['sandbox'] ?? {};
    expect({ depends_on, secrets, volumes }).toEqual({});
    expect(environment).toEqual({ PORT: '3000' });
    expect(stages().has(build?.target ?? '')).toBe(true);
  });
});
