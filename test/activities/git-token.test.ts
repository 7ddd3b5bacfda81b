import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createMirror } from '../../activities/git/mirror.js';
import { CredentialsError } from '../../clients/github.js';
import { failureOf } from '../support/failures.js';

let directory: string;

/** A git that tells of each question to the source which token it came with, and fails. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-test-git-'));
  const script = `#!/bin/sh
case "$*" in
  *ls-remote*) env | sed -n 's/.*Authorization: Basic //p' >> ${directory}/asked; exit 128 ;;
  *) env | grep -c Authorization >> ${directory}/local; exit 0 ;;
esac
`;
  await writeFile(join(directory, 'git'), script);
  await chmod(join(directory, 'git'), 0o755);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const mirrorWith = (token: () => Promise<string | undefined>) =>
  createMirror({
    repository: {
      owner: 'acme',
      name: 'shop',
      branch: 'main',
      cloneUrl: 'https://github.example/acme/shop.git',
    },
    env: { PATH: `${directory}:${process.env['PATH']}`, SLUICE_CACHE: directory },
    token,
  });

it('asks for the current token each time that it asks the source, and only then', async () => {
  let count = 0;
  const mirror = mirrorWith(() => Promise.resolve(`ghs_${(count += 1)}`));
  expect(await failureOf(mirror.isOnBranch('a'.repeat(40)))).toMatchObject({ type: 'CLONE_FAILED' });
  const asked = (await readFile(join(directory, 'asked'), 'utf8')).trim().split('\n');
  expect(asked.map((line) => Buffer.from(line, 'base64').toString())).toEqual([
    'x-access-token:ghs_1',
    'x-access-token:ghs_2',
    'x-access-token:ghs_3',
  ]);
  expect(new Set((await readFile(join(directory, 'local'), 'utf8')).trim().split('\n'))).toEqual(
    new Set(['0']),
  );
});

it('waits where the token cannot be had', async () => {
  const down = mirrorWith(() =>
    Promise.reject(new CredentialsError({ kind: 'down', message: 'GitHub answers 502' })),
  );
  expect(await failureOf(down.isOnBranch('a'.repeat(40)))).toMatchObject({
    type: 'GITHUB_DOWN',
    nonRetryable: false,
  });
  const refused = { kind: 'refused', status: 401, message: 'GitHub App 1 is not installed' } as const;
  const wrong = mirrorWith(() => Promise.reject(new CredentialsError(refused)));
  expect(await failureOf(wrong.isOnBranch('a'.repeat(40)))).toMatchObject({
    type: 'GITHUB_REFUSED',
    message: 'GitHub App 1 is not installed',
  });
});
