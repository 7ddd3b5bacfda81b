/** One deployment on a whole stack, and what is left of it after its end. */
import { access } from 'node:fs/promises';
import { expect } from 'vitest';
import type { Stack } from '../../sandbox/stack.js';
import { clusterOf, serviceOf } from '../../sandbox/settings.js';
import { personAt } from './people.js';

/** Asks for main's head over HTTP: succeeded, verified, and served. */
export async function deployOnce(stack: Stack): Promise<void> {
  const commit = stack.sample.commits.good.at(-1) ?? '';
  const person = personAt(stack.apiUrl);
  const ended = await person.ended(await person.deploy('api', commit));
  expect(ended).toMatchObject({ outcome: 'succeeded', verified: true, release: commit });
  const url = stack.aws.serviceUrl({ cluster: clusterOf('staging'), service: serviceOf('api', 'staging') });
  expect(await (await fetch(`${url}/version.json`)).json()).toEqual({ release: commit });
}

/** No process, no listener, no file. */
export async function nothingLeft({
  temporal,
  processes,
  apiUrl,
  aws,
  github,
  directory,
}: Stack): Promise<void> {
  const pids = [temporal.pid, ...Object.values(processes).map(({ pid }) => pid)];
  expect(pids).toHaveLength(4);
  expect(pids.filter(isAlive)).toEqual([]);
  for (const url of [apiUrl, aws.url, github.url]) await expect(fetch(url), url).rejects.toThrow();
  await expect(access(directory)).rejects.toThrow('ENOENT');
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
