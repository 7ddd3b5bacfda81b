import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigError, loadConfig } from '../../clients/config.js';

const EXAMPLE = new URL('../../sluice.yaml', import.meta.url).pathname;
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-config-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

function errorOf(path?: string): ConfigError {
  try {
    loadConfig(path);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('loadConfig', () => {
  it('reads the file that is named, else SLUICE_CONFIG, else sluice.yaml', () => {
    expect(loadConfig(EXAMPLE).repository.name).toBe('openverse');
    vi.stubEnv('SLUICE_CONFIG', join(dir, 'none.yaml'));
    expect(errorOf().message).toContain(join(dir, 'none.yaml'));
    vi.stubEnv('SLUICE_CONFIG', '');
    expect(loadConfig().repository.owner).toBe('WordPress');
  });

  it('clones from GITHUB_SERVER_URL', () => {
    vi.stubEnv('GITHUB_SERVER_URL', 'http://localhost:1234');
    expect(loadConfig(EXAMPLE).repository.cloneUrl).toBe('http://localhost:1234/WordPress/openverse.git');
  });

  it('lists all problems, a line each, and what to do', () => {
    const path = join(dir, 'sluice.yaml');
    writeFileSync(path, 'repository: 1\naws: { region: 2 }\n');
    const lines = errorOf(path).message.split('\n');
    expect(lines[0]).toBe(`${path} is not a valid configuration:`);
    expect(lines).toContain(
      `${path}:2: aws.region: expected a string: an AWS region such as us-east-1, got 2`,
    );
    expect(lines.filter((line) => line.startsWith(`${path}:`))).toHaveLength(5);
    expect(lines.at(-1)).toBe('Correct it and start again.');
  });

  it('says that there is no file, or that it cannot be read', () => {
    expect(errorOf(join(dir, 'none.yaml')).message).toMatch(
      /^There is no configuration at .*\nWrite one, or set SLUICE_CONFIG/,
    );
    expect(errorOf(dir).message).toMatch(/^The configuration at .* cannot be read \(EISDIR\)/);
  });
});
