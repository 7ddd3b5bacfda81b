import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMerges } from '../../activities/git/merges.js';
import { relateReleases } from '../../activities/git/merges-relate.js';
import { createMirror, type History } from '../../activities/git/mirror.js';
import type { Merge } from '../../domain/promotion/promotion.js';
import type { FindMergesInput, MergesFound, Relations } from '../../domain/promotion/effects.js';
import { failureOf } from '../support/failures.js';
import { activityEnvironment, configOf } from '../support/images.js';
import { createSource } from '../support/source.js';
import type { SourceRepository } from '../support/source.js';

const ZEROS = '0'.repeat(40);

let cache: string;
let source: SourceRepository;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'sluice-test-merges-'));
  source = await createSource();
});
afterEach(async () => {
  await source.remove();
  await rm(cache, { recursive: true, force: true });
});

const activities = (cloneUrl = source.directory, branch = 'main') => {
  const config = configOf([], {}, cloneUrl);
  const shop = config.apps['shop'];
  if (!shop) throw new Error('no app');
  config.repository.branch = branch;
  config.apps = {
    api: { ...shop, paths: ['api/**', 'docker/nginx/**'] },
    web: { ...shop, paths: ['web/**'] },
    ingestion: { ...shop, paths: ['ingestion/**'], releaseOnly: true },
  };
  const env = { ...process.env, SLUICE_CACHE: cache };
  return createMerges({
    config,
    mirror: createMirror({ repository: config.repository, env, outage: 'wait' }),
  });
};
const find = async (input: FindMergesInput, of = activities()): Promise<MergesFound> =>
  await activityEnvironment().run(of.findMerges, input);
const relate = async (releases: string[], of = activities()): Promise<Relations> =>
  await activityEnvironment().run(of.relate, { releases });
const shas = ({ apps }: MergesFound): Record<string, string[]> =>
  Object.fromEntries(Object.entries(apps).map(([app, merges]) => [app, merges.map(({ sha }) => sha)]));

/** On a branch of its own, then merged. */
const mergeOf = async (
  files: Record<string, string>,
  message = 'merge',
): Promise<{ side: string; sha: string }> => {
  source.git('checkout', '--quiet', '-b', 'side');
  const side = await source.commit(files);
  source.git('checkout', '--quiet', 'main');
  source.git('merge', '--quiet', '--no-ff', '--message', message, 'side');
  source.git('branch', '--quiet', '-D', 'side');
  return { side, sha: source.git('rev-parse', 'HEAD') };
};

describe('findMerges', () => {
  it('tells each merge of the range, for the apps that it touches, in the order of the branch', async () => {
    const before = await source.commit({ 'api/a': '1', 'web/a': '1' });
    const one = await source.commit({ 'api/a': '2' }, 'Mend the api (#7)\n\nwith care');
    const two = await source.commit({ 'docs/a': '2' });
    const three = await source.commit(
      { 'docker/nginx/a': '1', 'web/.env': '1', 'ingestion/x': '1' },
      'All of it',
    );
    const found = await find({ before, after: three });
    expect(found.head).toBe(three);
    expect(shas(found)).toEqual({ api: [one, three], web: [three], ingestion: [three] });
    expect(found.apps['api']).toEqual<Merge[]>([
      { sha: one, title: 'Mend the api', author: 'test', pullRequest: 7, position: 2 },
      { sha: three, title: 'All of it', author: 'test', position: 4 },
    ]);
    expect(shas(await find({ before: one, after: two }))).toEqual({});
    expect(shas(await find({ before: two }))).toEqual({ api: [three], web: [three], ingestion: [three] });
  });

  it('takes a merge commit as one, against its first parent', async () => {
    const before = await source.commit({ 'api/a': '1' });
    source.git('checkout', '--quiet', '-b', 'topic');
    await source.commit({ 'api/b': '1' });
    await source.commit({ 'docs/b': '1' });
    source.git('checkout', '--quiet', 'main');
    const between = await source.commit({ 'web/a': '1' });
    const message = 'Merge pull request #12 from sara/topic\n\nMend the search';
    source.git('merge', '--quiet', '--no-ff', '--message', message, 'topic');
    const merged = source.git('rev-parse', 'HEAD');
    const found = await find({ before, after: merged });
    expect(shas(found)).toEqual({ web: [between], api: [merged] });
    expect(found.apps['api']).toMatchObject([{ title: 'Mend the search', pullRequest: 12, position: 3 }]);
  });

  it('sees what an evil merge and an octopus bring', async () => {
    const before = await source.commit({ 'api/a': '1' });
    for (const name of ['one', 'two']) {
      source.git('checkout', '--quiet', '-b', name, before);
      await source.commit({ [name === 'one' ? 'web/one' : 'ingestion/two']: '1' });
    }
    source.git('checkout', '--quiet', 'main');
    source.git('merge', '--quiet', '--no-ff', '--message', 'octopus', 'one', 'two');
    const octopus = source.git('rev-parse', 'HEAD');
    expect(source.git('rev-list', '--parents', '-1', octopus).split(' ')).toHaveLength(4);
    source.git('checkout', '--quiet', '-b', 'three');
    await source.commit({ 'docs/three': '1' });
    source.git('checkout', '--quiet', 'main');
    source.git('merge', '--quiet', '--no-ff', '--no-commit', 'three');
    const evil = await source.commit({ 'api/evil': '1' }, 'evil');
    expect(shas(await find({ before, after: evil }))).toEqual({
      web: [octopus],
      ingestion: [octopus],
      api: [evil],
    });
  });

  it('counts a rename on both sides, and a removal', async () => {
    const content = 'x\n'.repeat(50);
    const before = await source.commit({ 'api/a': content, 'web/keep': '1' });
    await mkdir(join(source.directory, 'docs'), { recursive: true });
    source.git('mv', 'api/a', 'web/a');
    const moved = await source.commit({});
    source.git('rm', '--quiet', 'web/keep');
    const removed = await source.commit({});
    expect(shas(await find({ before }))).toEqual({ api: [moved], web: [moved, removed] });
  });

  it('takes files of any name, and commits that change nothing', async () => {
    const before = await source.commit({ x: '1' });
    const strange = await source.commit({
      'api/a\nb': '1',
      'api/:100644 \u{1f680}': '1',
      [`web/${ZEROS}`]: '1',
    });
    await source.commit({}, ':100644 a message');
    const hash = await source.commit({ [strange]: '1', ':100644': '1' }, 'named like a commit');
    const invalid = Buffer.from([0x61, 0x70, 0x69, 0x2f, 0xff, 0xfe]);
    const { writeFileSync } = await import('node:fs');
    writeFileSync(Buffer.concat([Buffer.from(`${source.directory}/`), invalid]), '1');
    const bytes = await source.commit({});
    const found = await find({ before });
    expect(shas(found)).toEqual({ api: [strange, bytes], web: [strange] });
    expect(found.apps['api']?.map(({ position }) => position)).toEqual([2, 5]);
    expect(shas(await find({ before: strange, after: hash }))).toEqual({});
  });

  it('knows only the head where there is nothing to compare it with', async () => {
    const first = await source.commit({ 'api/a': '1' });
    expect(shas(await find({ before: ZEROS, after: first }))).toEqual({ api: [first] });
    const second = await source.commit({ 'web/a': '1' });
    expect(shas(await find({ before: ZEROS, after: second }))).toEqual({ web: [second] });
    expect(shas(await find({}))).toEqual({ web: [second] });
    expect(shas(await find({ before: 'b'.repeat(40), after: second }))).toEqual({ web: [second] });
    expect(shas(await find({ before: 'main; rm', after: second }))).toEqual({ web: [second] });
    source.git('checkout', '--quiet', '--orphan', 'other');
    const other = await source.commit({ 'ingestion/a': '1' });
    expect(shas(await find({ before: other, after: second }))).toEqual({ web: [second] });
  });

  it.each([
    ['a mirror that had them', true],
    ['a mirror that is new', false],
  ])('compares a forced push with what both have in common: %s', async (_, seen) => {
    const common = await source.commit({ 'api/a': '1' });
    await source.commit({ 'api/a': '2' });
    const gone = await source.commit({ 'web/a': '2' });
    if (seen) await find({});
    source.git('reset', '--quiet', '--hard', common);
    const one = await source.commit({ 'ingestion/a': '1' });
    const two = await source.commit({ 'api/a': '3' });
    expect(shas(await find({ before: gone, after: two }))).toEqual({ ingestion: [one], api: [two] });
    // Pushed back: nothing is new.
    source.git('reset', '--quiet', '--hard', common);
    expect(await find({ before: two, after: common })).toEqual({ head: common, apps: {} });
  });

  it.each([
    ['a mirror that had it', true],
    ['a mirror that is new', false],
  ])('of a head that was forced away tells what is on the branch still: %s', async (_, seen) => {
    const before = await source.commit({ x: '1' });
    const kept = await source.commit({ 'api/a': '2' });
    const gone = await source.commit({ 'web/a': '2' });
    if (seen) await find({});
    source.git('reset', '--quiet', '--hard', kept);
    const later = await source.commit({ 'ingestion/a': '1' });
    expect(await find({ before, after: gone })).toMatchObject({
      head: later,
      apps: { api: [{ sha: kept }] },
    });
    expect(shas(await find({ before, after: gone }))).toEqual({ api: [kept] });
    expect(shas(await find({ before: kept, after: gone }))).toEqual({});
  });

  it('of a commit that nobody has tells the branch as it is', async () => {
    const before = await source.commit({ x: '1' });
    const one = await source.commit({ 'api/a': '2' });
    expect(shas(await find({ before, after: 'c'.repeat(40) }))).toEqual({ api: [one] });
  });

  it('tells a push whose head came to be beside the first-parent line', async () => {
    const before = await source.commit({ x: '1' });
    const pushed = await source.commit({ 'api/a': '1' });
    source.git('checkout', '--quiet', '-b', 'other', before);
    await source.commit({ 'web/a': '1' });
    source.git('merge', '--quiet', '--no-ff', '--message', 'the wrong way round', 'main');
    const head = source.git('rev-parse', 'HEAD');
    source.git('branch', '--force', 'main', head);
    source.git('checkout', '--quiet', 'main');
    // The first-parent line goes by `other`: `pushed` came to it with the merge.
    expect(shas(await find({ before, after: pushed }))).toEqual({});
    const { apps } = await find({ before: pushed, after: head });
    expect(apps['web']).toHaveLength(1);
    expect(shas(await find({ before, after: head }))['api']).toEqual([head]);
  });

  it('looks at the newest thousand of a range, and keeps no more of a history than it tells', async () => {
    const before = await source.commit({ x: '1' });
    const commits = Array.from({ length: 1_010 }, (_, index) =>
      [
        'commit refs/heads/main',
        `mark :${index + 1}`,
        `committer test <test@example.org> ${1_700_000_000 + index} +0000`,
        'data 4',
        `n${String(index).padStart(3, '0').slice(-3)}`,
        ...(index === 0 ? [`from ${before}`] : []),
        ...['api', 'web', 'ingestion'].flatMap((app) => [
          `M 644 inline ${app}/f`,
          `data ${String(index).length}`,
          String(index),
        ]),
        '',
      ].join('\n'),
    );
    const { execFileSync } = await import('node:child_process');
    execFileSync('git', ['fast-import', '--quiet', '--force'], {
      cwd: source.directory,
      input: commits.join('\n'),
    });
    const { apps } = await find({ before });
    const told = Object.values(apps);
    expect(told.map((merges) => merges.at(-1)?.position)).toEqual([1_011, 1_011, 1_011]);
    expect(told.reduce((sum, merges) => sum + merges.length, 0)).toBe(2_000);
    expect(apps['api']?.[0]?.position).toBe(1_011 - 666);
    expect(JSON.stringify(apps).length).toBeLessThan(1_000_000);
  });

  it('reads a mirror anew that was broken', async () => {
    const before = await source.commit({ x: '1' });
    const one = await source.commit({ 'api/a': '2' });
    await find({});
    const [name = ''] = await readdir(join(cache, 'mirrors'));
    const objects = join(cache, 'mirrors', name, 'objects');
    await rm(objects, { recursive: true });
    await mkdir(objects);
    expect(shas(await find({ before }))).toEqual({ api: [one] });
  });
});

describe('a source that does not answer', () => {
  it('is asked again: the failure says so, and the next attempt goes on', async () => {
    const before = await source.commit({ x: '1' });
    const one = await source.commit({ 'api/a': '2' });
    await rename(source.directory, `${source.directory}.away`);
    const failure = await failureOf(find({ before }));
    expect(failure).toMatchObject({ type: 'GITHUB_DOWN', nonRetryable: false });
    expect(failure.message).toMatch(
      /^The source of acme\/shop \(.*\) cannot be asked: .*; it is asked again$/,
    );
    expect(await failureOf(relate([one]))).toMatchObject({ type: 'GITHUB_DOWN', nonRetryable: false });
    await rename(`${source.directory}.away`, source.directory);
    expect(shas(await find({ before }))).toEqual({ api: [one] });
  });

  it('is another thing than a branch that is not there', async () => {
    await source.commit({ x: '1' });
    const failure = await failureOf(find({}, activities(source.directory, 'trunk')));
    expect(failure).toMatchObject({ type: 'CLONE_FAILED', nonRetryable: true });
    expect(failure.message).toContain('it has no branch trunk');
  });

  it('ends when it is cancelled', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const environment = activityEnvironment();
    const asked = new Promise((resolve) => server.once('request', resolve));
    const running = environment.run(activities(`http://127.0.0.1:${port}/x.git`).findMerges, {});
    await asked;
    environment.cancel();
    await expect(running).rejects.toThrow(CancelledFailure);
    server.closeAllConnections();
    server.close();
  });
});

describe('relate', () => {
  it('goes by the first-parent line, and by what came with its merges', async () => {
    const one = await source.commit({ 'api/a': '1' });
    const { side, sha: two } = await mergeOf({ 'api/b': '1' });
    const three = await source.commit({ 'api/a': '3' });
    source.git('checkout', '--quiet', '-b', 'other', one);
    const elsewhere = await source.commit({ z: '1' });
    source.git('checkout', '--quiet', 'main');
    const strange = ['v1.2.3', 'b'.repeat(40), elsewhere, '', '__proto__', three.toUpperCase(), `${three}^`];
    const related = await relate([three, one, side, two, one, ...strange]);
    expect(related.head).toBe(three);
    expect(related.positions).toEqual({ [one]: 1, [side]: 2, [two]: 2, [three]: 3 });
    const { contains } = related;
    expect(contains[one]).toEqual([one]);
    expect(new Set(contains[side])).toEqual(new Set([one, side]));
    expect(new Set(contains[two])).toEqual(new Set([one, side, two]));
    expect(new Set(contains[three])).toEqual(new Set([one, side, two, three]));
    for (const name of strange)
      expect(Object.entries(contains).find(([key]) => key === name)?.[1]).toEqual([name]);
    expect(await relate([])).toEqual({ head: three, positions: {}, contains: {} });
  });

  it('asks git once for any number of first-parent commits', async () => {
    const commits: string[] = [];
    for (let count = 0; count < 60; count += 1) commits.push(await source.commit({}));
    const env = { ...process.env, SLUICE_CACHE: cache };
    const mirror = createMirror({ repository: configOf([], {}, source.directory).repository, env });
    let asked = 0;
    const related = await mirror.read(async (history) => {
      const git: History['git'] = (...args) => ((asked += 1), history.git(...args));
      return await relateReleases({ ...history, git }, commits);
    });
    expect(asked).toBe(1);
    expect(commits.map((sha) => related.positions[sha])).toEqual(commits.map((_, index) => index + 1));
    expect(related.contains[commits[59] ?? '']).toHaveLength(60);
  });

  it('says the same as git says of every pair, on histories of every shape', async () => {
    let state = 7;
    const next = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below;
    const tree = source.git('hash-object', '-t', 'tree', '-w', '/dev/null');
    for (let round = 0; round < 3; round += 1) {
      const all: string[] = [];
      for (let count = 0; count < 18; count += 1) {
        const parents = new Set(count === 0 ? [] : [all[count - 1 - next(Math.min(count, 4))] ?? '']);
        if (count > 1 && next(2) === 0) parents.add(all[next(count)] ?? '');
        const args = [...parents].flatMap((parent) => ['-p', parent]);
        all.push(source.git('commit-tree', tree, ...args, '-m', `${round}.${count}`));
      }
      source.git('update-ref', 'refs/heads/main', all.at(-1) ?? '');
      const related = await relate(all);
      const isIn = (a: string, b: string): boolean => {
        try {
          source.git('merge-base', '--is-ancestor', a, b);
          return true;
        } catch {
          return false;
        }
      };
      const head = all.at(-1) ?? '';
      const line = source.git('rev-list', '--first-parent', '--reverse', head).split('\n');
      const onBranch = all.filter((sha) => isIn(sha, head));
      const positions = onBranch.map((sha) => [sha, line.findIndex((each) => isIn(sha, each)) + 1] as const);
      expect(related.positions).toEqual(Object.fromEntries(positions));
      for (const sha of all) {
        const expected = onBranch.includes(sha) ? onBranch.filter((other) => isIn(other, sha)) : [sha];
        expect(new Set(related.contains[sha])).toEqual(new Set(expected));
      }
    }
  });
});
