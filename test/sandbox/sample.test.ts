import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appFiles, BEHAVIOURS } from '../../sandbox/sample/files.js';
import { makeSampleRepository, type SampleRepository } from '../../sandbox/sample/repository.js';

const run = promisify(execFile);
let base: string;
let sample: SampleRepository;

const git = async (...args: string[]) =>
  (await run('git', args, { cwd: join(base, 'sample') })).stdout.trim();
const fileAt = (commit: string, path: string) => git('show', `${commit}:${path}`);

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'sluice-sample-'));
  sample = await makeSampleRepository(join(base, 'sample'));
});
afterAll(() => rm(base, { recursive: true, force: true }));

describe('the sample repository', () => {
  it('has a main whose head is good, and every commit but one on it', async () => {
    const { good, broken } = sample.commits;
    expect(await git('rev-parse', 'main')).toBe(good.at(-1));
    const main = (await git('rev-list', '--first-parent', 'main')).split('\n');
    const { notOnMain, ...onMain } = broken;
    expect(main).toEqual(expect.arrayContaining([...good, ...Object.values(onMain)]));
    expect(main).toHaveLength(good.length + Object.keys(onMain).length);
    expect(main).not.toContain(notOnMain);
    expect(await git('rev-parse', 'feature')).toBe(notOnMain);
    for (const commit of [...main, notOnMain]) expect(commit).toMatch(/^[0-9a-f]{40}$/);
    expect(await git('status', '--porcelain')).toBe('');
  });

  it('is the same every time', async () => {
    const again = await makeSampleRepository(join(base, 'again'));
    expect(again.commits).toEqual(sample.commits);
  });

  it('is cloned by its URL, and gives one commit by its SHA as GitHub does', async () => {
    const clone = join(base, 'clone');
    await run('git', ['init', '--quiet', clone]);
    const commit = sample.commits.broken.notOnMain;
    await run('git', ['fetch', '--quiet', '--depth=1', sample.cloneUrl, commit], { cwd: clone });
    await run('git', ['checkout', '--quiet', commit], { cwd: clone });
    const { stdout } = await run('git', ['ls-files', '--stage'], { cwd: clone });
    expect(stdout).toContain('api/Dockerfile');
    if (sample.hasBusybox) expect(stdout).toMatch(/^100755 .*\tapi\/busybox$/m);
  });

  it('breaks what it says, and nothing else', async () => {
    const { good, broken } = sample.commits;
    expect(await fileAt(broken.atStart, 'api/Dockerfile')).toContain('LABEL sandbox.exit=1');
    expect(await fileAt(broken.atStart, 'api/Dockerfile')).toContain('exit 1"]');
    expect(await fileAt(broken.build, 'api/Dockerfile')).toContain('COPY forgotten.txt');
    await expect(fileAt(broken.build, 'api/forgotten.txt')).rejects.toThrow();
    expect(await fileAt(broken.wrongRelease, 'api/Dockerfile')).toContain('ENV RELEASE=not-what-was-built');
    for (const commit of [...good, broken.notOnMain]) {
      expect(await fileAt(commit, 'api/Dockerfile')).not.toMatch(/sandbox\.|forgotten|not-what/);
    }
  });

  it('changes files of the app alone, on the branch that is asked for', async () => {
    const commit = await sample.commit({
      app: 'frontend',
      behaviour: 'exits',
      branch: 'other',
      message: 'Try it',
    });
    expect(await git('show', '--format=%s', '--name-only', commit)).toMatch(
      /^Try it\n\nfrontend\/Dockerfile\nfrontend\/www/,
    );
    expect(await git('rev-parse', 'other')).toBe(commit);
    expect(await git('rev-parse', '--abbrev-ref', 'HEAD')).toBe('main');
    const next = await sample.commit({ branch: 'other' });
    expect(await git('rev-parse', `${next}^`)).toBe(commit);
    expect(await git('rev-parse', 'main')).toBe(sample.commits.good.at(-1));
  });
});

describe('the Dockerfiles', () => {
  const dockerfile = (behaviour: (typeof BEHAVIOURS)[number], hasBusybox = true) =>
    appFiles({ app: 'api', behaviour, title: 't', hasBusybox })['api/Dockerfile'] ?? '';

  it.each(BEHAVIOURS)('of a commit that is %s hold two stages and only plain instructions', (behaviour) => {
    const lines = dockerfile(behaviour).split('\n').filter(Boolean);
    const known =
      /^(FROM scratch AS \w+|ARG \w+|ENV RELEASE=\S+|LABEL \S+=\S+|COPY \S+ \S+|EXPOSE \d+|CMD \[.*\])$/;
    for (const line of lines) expect(line).toMatch(known);
    for (const line of lines.filter((each) => /^CMD/.test(each))) {
      expect(() => JSON.parse(line.slice(4)) as unknown).not.toThrow();
    }
    expect(lines.filter((line) => line.startsWith('FROM'))).toEqual([
      'FROM scratch AS nginx',
      'FROM scratch AS django',
    ]);
  });

  it('need nothing of the host where it has no busybox', () => {
    expect(dockerfile('good', false)).not.toMatch(/^COPY busybox/m);
    expect(dockerfile('good')).toMatch(/^COPY busybox/m);
  });

  it('break one image of the two: django at the start, nginx in its version', () => {
    const stages = (behaviour: (typeof BEHAVIOURS)[number]) => dockerfile(behaviour).split(/(?=FROM)/);
    expect(stages('exits')[0]).not.toContain('sandbox.exit');
    expect(stages('exits')[1]).toContain('sandbox.exit');
    expect(stages('wrong-release')[0]).toContain('not-what-was-built');
    expect(stages('no-release')[0]).toContain('LABEL sandbox.version=none');
  });
});
