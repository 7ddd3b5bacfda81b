/** `docker-compose.yml` by Compose's own loader, which needs no Docker; and what it must hold beyond the schema. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SET = {
  POSTGRES_PASSWORD: 'of-postgres',
  GITHUB_WEBHOOK_SECRET: 'of-the-webhook',
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
  volumes?: { type: string; source: string; target: string; read_only?: boolean }[];
}

interface Project {
  services: Record<string, Service>;
  secrets: Record<string, { environment?: string }>;
}

function load(env: Record<string, string>): { status: number | null; stdout: string; stderr: string } {
  const check = process.env['SLUICE_COMPOSE_CHECK'];
  if (!check) throw new Error('SLUICE_COMPOSE_CHECK is not set: run .ci/cluster.sh');
  return spawnSync(check, ['docker-compose.yml'], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    encoding: 'utf8',
  });
}

const project = (): Project => {
  const { status, stdout, stderr } = load(SET);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout) as Project;
};
const OURS = ['setup', 'api', 'worker', 'build-worker'];

describe('docker-compose.yml', () => {
  it('is one that Compose takes, with everything of the topology', () => {
    expect(Object.keys(project().services).sort()).toEqual([
      ...['api', 'build-worker', 'postgres', 'sandbox', 'setup'],
      ...['temporal', 'temporal-namespace', 'temporal-schema', 'temporal-ui', 'worker'],
    ]);
  });

  it.each(Object.keys(SET))('does not start without %s, and says so', (name) => {
    const { [name as keyof typeof SET]: _left, ...rest } = SET;
    const { status, stderr } = load(rest);
    // A secret of the environment that is not there is refused by `docker compose up`, later than by the loader.
    if (name === 'GITHUB_WEBHOOK_SECRET') {
      expect(project().secrets['github_webhook_secret']).toMatchObject({ environment: name });
      return;
    }
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
    const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
    const stages = new Map(
      dockerfile
        .split(/^FROM /m)
        .slice(1)
        .map((stage) => [/ AS ([\w-]+)/.exec(stage)?.[1] ?? '', stage]),
    );
    const checked = (target: string): boolean => {
      const stage = stages.get(target) ?? '';
      return stage.includes('HEALTHCHECK') || checked2(/^(\S+)/.exec(stage)?.[1] ?? '');
    };
    const checked2 = (base: string): boolean => stages.has(base) && checked(base);
    const { services } = project();
    for (const name of ['postgres', 'temporal', 'temporal-ui', 'api', 'worker', 'build-worker']) {
      const { healthcheck, build } = services[name] ?? {};
      expect(Boolean(healthcheck?.test) || checked(build?.target ?? ''), name).toBe(true);
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
    for (const name of ['api', 'worker', 'build-worker'])
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

  it('starts the sandbox and nothing else under its profile', () => {
    const { services } = project();
    const profiled = Object.entries(services).filter(([, { profiles }]) => profiles?.length);
    expect(profiled.map(([name]) => name)).toEqual(['sandbox']);
    expect(services['sandbox']?.depends_on ?? {}).toEqual({});
  });
});
