import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSecretFiles } from '../../clients/secret-files.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-secrets-'));
  await writeFile(join(folder, 'token'), 'ghp_fromAFile\n');
});
afterAll(() => rm(folder, { recursive: true }));

describe('secrets from files', () => {
  it('stand in the environment, without the line’s end', () => {
    const env = { GITHUB_TOKEN_FILE: join(folder, 'token'), OTHER_FILE: '/nowhere' };
    readSecretFiles(env);
    expect(env).toEqual({ ...env, GITHUB_TOKEN: 'ghp_fromAFile' });
  });

  it('are refused where the file cannot be read, or both are set', () => {
    expect(() => readSecretFiles({ SESSION_SECRET_FILE: '/nowhere' })).toThrow(
      'SESSION_SECRET_FILE is /nowhere, which cannot be read (ENOENT)',
    );
    const both = { GITHUB_TOKEN: 'ghp_kept-secret', GITHUB_TOKEN_FILE: join(folder, 'token') };
    expect(() => readSecretFiles(both)).toThrow('GITHUB_TOKEN and GITHUB_TOKEN_FILE are both set');
    expect(() => readSecretFiles(both)).not.toThrow('kept-secret');
  });
});
