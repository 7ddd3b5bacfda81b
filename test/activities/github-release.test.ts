import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createGitHubActivities } from '../../activities/github/index.js';
import { createCredentials } from '../../clients/github-credentials.js';
import { isCode } from '../../domain/codes.js';
import type { Fault } from '../../sandbox/github/faults.js';
import { failureOf } from '../support/failures.js';
import { createWorld, driven, LATE_MS, type GitHubWorld } from '../support/github-world.js';

const API = '🧱 stack: api';
const FIX = '🛠 goal: fix';

let world: GitHubWorld;
let activities: ReturnType<typeof createGitHubActivities>;
let base: string;
let released: string;
/** Later ones get earlier dates: none is the release before another. */
let next = 5_000;

const BEFORE = 'api-2020.01.01.00.00.00';

function dateOf(number: number): string {
  return new Date(Date.UTC(2021, 0, 1) + number * 1_000).toISOString().slice(0, 19).replace(/[-T:]/g, '.');
}
function names() {
  const date = dateOf((next -= 1));
  return { date, gitTag: `api-${date}` };
}
const input = (gitTag: string) => ({
  app: 'api',
  gitTag,
  release: released,
  tag: `rel-${gitTag.slice(4)}`,
  actor: 'sara',
  deployment: 'production.api.abcd',
});
const made = (kind: 'tag' | 'release' | 'branch' | 'pull' | 'commit' | 'labels', what: string) =>
  world.github.effects(kind).filter((one) => one.what === what || one.detail === what);

beforeAll(async () => {
  world = await createWorld();
  const { github, source } = world;
  activities = createGitHubActivities(world);
  base = (await github.mergePullRequest({ title: 'Before', author: 'sara', labels: [API, FIX] })).sha;
  source.git('tag', BEFORE, base);
  source.git('tag', 'api-docs-2020.06.01.00.00.00', base);
  await github.mergePullRequest({ title: 'Mend @everyone `x` <b>', author: 'sara', labels: [API, FIX] });
  await github.mergePullRequest({ title: 'Of another app', author: 'sara', labels: ['🧱 stack: frontend'] });
  released = (
    await github.mergePullRequest({ title: 'Last', author: 'sara', labels: [API, '🌟 goal: addition'] })
  ).sha;
  await github.mergePullRequest({ title: 'Too late', author: 'sara', labels: [API, FIX] });
}, 60_000);
afterEach(() => {
  world.github.clearFaults();
  expect(world.wrong).toEqual([]);
});
afterAll(() => world.close());

const NOTES =
  '## New Features\n\n- Last ([#4](https://github.com/WordPress/openverse/pull/4)) by @sara\n\n' +
  '## Bug Fixes\n\n- Mend @<!---->everyone \\`x\\` \\<b\\> ([#2](https://github.com/WordPress/openverse/pull/2)) by @sara';

describe('publishRelease', () => {
  it('publishes at the image’s own commit what was merged since the release before', async () => {
    const { gitTag } = names();
    const answer = await activities.publishRelease(input(gitTag));
    expect(answer).toMatchObject({
      url: expect.stringContaining(`/releases/tag/${gitTag}`) as string,
      notes: NOTES,
    });
    expect(world.source.git('rev-parse', gitTag)).toBe(released);
    expect(world.source.git('rev-parse', 'main')).not.toBe(released);
    const { data } = await world.credentials.octokit().rest.repos.getReleaseByTag({
      owner: 'WordPress',
      repo: 'openverse',
      tag: gitTag,
    });
    expect(data).toMatchObject({ name: gitTag, draft: false, target_commitish: released });
    expect(data.body).toBe(
      `${NOTES}\n\n<!-- sluice: ${gitTag} -->\n\nImage tag rel-${gitTag.slice(4)}, deployed as production.api.abcd. Released by @sara.\n`,
    );
  });

  it('again gives the first one, and makes nothing', async () => {
    const { gitTag } = names();
    const first = await activities.publishRelease(input(gitTag));
    expect(await activities.publishRelease(input(gitTag))).toEqual(first);
    expect([made('release', gitTag).length, made('tag', gitTag).length]).toEqual([1, 1]);
  });

  it('does not ping anybody for the emergency token', async () => {
    const { gitTag } = names();
    await activities.publishRelease({ ...input(gitTag), actor: 'emergency' });
    const { data } = await world.credentials
      .octokit()
      .rest.repos.getReleaseByTag({ owner: 'WordPress', repo: 'openverse', tag: gitTag });
    expect(data.body).toContain('Released by the emergency token.');
  });

  it('takes the newest release before that the commit contains', async () => {
    const { source } = world;
    const side = source.git('commit-tree', `${base}^{tree}`, '-p', base, '-m', 'side');
    source.git('tag', 'api-2020.02.02.00.00.00', side);
    const { gitTag } = names();
    expect((await activities.publishRelease(input(gitTag))).notes).toBe(NOTES);
    source.git('tag', 'api-2020.02.03.00.00.00', `${released}~1`);
    const later = names();
    expect((await activities.publishRelease(input(later.gitTag))).notes).not.toContain('Mend');
    source.git('tag', '-a', '-m', 'annotated', 'api-2020.02.04.00.00.00', released);
    const same = names();
    expect((await activities.publishRelease(input(same.gitTag))).notes).toBe(
      'No merged pull request carries the label “🧱 stack: api” since api-2020.02.04.00.00.00.',
    );
    source.git('tag', '-d', 'api-2020.02.02.00.00.00', 'api-2020.02.03.00.00.00', 'api-2020.02.04.00.00.00');
  });

  it('of an app’s first release looks at all commits', async () => {
    const gitTag = `web-${names().date}`;
    const notes = (await activities.publishRelease({ ...input(gitTag), app: 'web' })).notes;
    expect(notes).toBe('No merged pull request carries the label “🧱 stack: web”.');
    const front = `frontend-${names().date}`;
    const { notes: some } = await activities.publishRelease({ ...input(front), app: 'frontend' });
    expect(some).toMatch(/^- Of another app /);
  });

  it('refuses where somebody else’s Release, or tag, is there', async () => {
    const theirs = names().gitTag;
    await world.credentials.octokit().rest.repos.createRelease({
      owner: 'WordPress',
      repo: 'openverse',
      tag_name: theirs,
      target_commitish: released,
    });
    const first = await failureOf(activities.publishRelease(input(theirs)));
    expect(first).toMatchObject({ type: 'TAG_CONFLICT', nonRetryable: true });
    expect(first.message).toMatch(/that Sluice did not make: delete it/);

    const tagged = names().gitTag;
    world.source.git('tag', tagged, base);
    const second = await failureOf(activities.publishRelease(input(tagged)));
    expect(second).toMatchObject({ type: 'TAG_CONFLICT', nonRetryable: true });
    expect(second.message).toContain(`stands at ${base}`);
    expect(made('release', tagged)).toEqual([]);

    const annotated = names().gitTag;
    world.source.git('tag', '-a', '-m', 'x', annotated, released);
    await activities.publishRelease(input(annotated));
    expect(made('release', annotated)).toHaveLength(1);
  });

  it.each(['v1', 'f'.repeat(40), '0123', '--help', '../x'])(
    'refuses %s, which is no commit',
    async (release) => {
      const { gitTag } = names();
      const failure = await failureOf(activities.publishRelease({ ...input(gitTag), release }));
      expect(failure).toMatchObject({ type: 'GITHUB_FAILED', nonRetryable: true });
      expect(failure.message).toContain('is no commit of WordPress/openverse');
      expect(made('tag', gitTag)).toEqual([]);
    },
  );

  it('waits, saying what to do, for credentials that may', async () => {
    const of = (token: string) => {
      const env = { GITHUB_TOKEN: token, GITHUB_API_URL: world.github.url };
      const credentials = createCredentials(env, world.config);
      return createGitHubActivities({ config: world.config, credentials });
    };
    const wrong = await failureOf(of('ghp_wrong').publishRelease(input(names().gitTag)));
    expect(wrong).toMatchObject({ type: 'GITHUB_REFUSED', nonRetryable: false, nextRetryDelay: 60_000 });
    expect(wrong.message).toMatch(/own GITHUB_TOKEN is not valid/);
    expect(JSON.stringify(wrong)).not.toContain('ghp_');
    const weak = await failureOf(of('ghp_weak').publishRelease(input(names().gitTag)));
    expect(weak).toMatchObject({ type: 'GITHUB_FAILED' });
    expect(weak.message).toMatch(/GITHUB_TOKEN lacks “Contents: write”/);
  });
});

describe('openChangelog', () => {
  const changelog = ({ date, gitTag }: { date: string; gitTag: string }) => ({
    app: 'api',
    gitTag,
    date,
    body: NOTES,
    actor: 'sara',
  });

  it('opens a pull request with one file, never merged', async () => {
    const of = names();
    const { url } = await activities.openChangelog(changelog(of));
    const branch = `changelog/${of.gitTag}`;
    const path = `documentation/changelogs/api/${of.date}.md`;
    const { git } = world.source;
    expect(git('show', `${branch}:${path}`)).toBe(`# ${of.date}\n\n${NOTES}`);
    expect(git('cat-file', 'blob', `${branch}:${path}`)).toBe(git('show', `${branch}:${path}`));
    expect(git('log', '-1', '--format=%s', branch)).toBe(`Publish changelog for ${of.gitTag}`);
    expect(git('diff', '--name-only', `main...${branch}`)).toBe(path);
    const pulls = await world.credentials
      .octokit()
      .rest.pulls.list({ owner: 'WordPress', repo: 'openverse', head: `WordPress:${branch}` });
    expect(pulls.data).toMatchObject([
      { html_url: url, title: `Publish changelog for ${of.gitTag}`, base: { ref: 'main' } },
    ]);
    expect(pulls.data[0]?.body).toMatch(/^@sara, /);
    expect(pulls.data[0]?.labels.map(({ name }) => name)).toEqual([
      '🧱 stack: api',
      '🌟 goal: addition',
      '📄 aspect: text',
      '🟩 priority: low',
      'skip-changelog',
    ]);
  });

  it('again changes nothing, not even what a person did with it', async () => {
    const of = names();
    const first = await activities.openChangelog(changelog(of));
    const branch = `changelog/${of.gitTag}`;
    const head = world.source.git('rev-parse', branch);
    expect(await activities.openChangelog({ ...changelog(of), body: 'other' })).toEqual(first);
    expect(world.source.git('rev-parse', branch)).toBe(head);
    await world.github.mergePullRequest({ number: Number(first.url.split('/').at(-1)), by: 'sara' });
    expect(await activities.openChangelog(changelog(of))).toEqual(first);
    expect(made('branch', branch)).toHaveLength(1);
  });

  it('is not held up by labels that cannot be set', async () => {
    const of = names();
    const env = { GITHUB_TOKEN: 'ghp_sluice', GITHUB_API_URL: world.github.url };
    const credentials = createCredentials(env, world.config);
    credentials.octokit().hook.before('request', (options) => {
      if (options.url.endsWith('/labels')) options.url = '/repos/{owner}/{repo}/issues/999999/labels';
    });
    const { openChangelog } = createGitHubActivities({ config: world.config, credentials });
    const { url } = await openChangelog(changelog(of));
    expect(url).toContain('/WordPress/openverse/pull/');
    expect(made('labels', url.split('/').at(-1) ?? '')).toEqual([]);
  });
});

const KINDS: Fault[] = [
  { kind: 'bad-gateway' },
  { kind: 'unavailable' },
  { kind: 'not-json' },
  { kind: 'lost-request' },
  { kind: 'lost-answer' },
  { kind: 'hold-after' },
  { kind: 'slow', delayMs: LATE_MS },
];

describe('every call fails once', () => {
  const run = async (
    { date, gitTag }: { date: string; gitTag: string },
    isPatient: boolean,
    settleMs?: number,
  ) => {
    const credentials = isPatient ? world.credentials : world.impatient;
    const { publishRelease, openChangelog } = createGitHubActivities({ config: world.config, credentials });
    const { notes } = await driven(() => publishRelease(input(gitTag)), settleMs);
    const changelog = { app: 'api', gitTag, date, body: notes, actor: 'sara' };
    await driven(() => openChangelog(changelog), settleMs);
  };
  const countsOf = ({ date, gitTag }: { date: string; gitTag: string }) => ({
    tag: made('tag', gitTag).length,
    release: made('release', gitTag).length,
    branch: made('branch', `changelog/${gitTag}`).length,
    file: made('commit', `documentation/changelogs/api/${date}.md`).length,
    pull: made('pull', `changelog/${gitTag}`).length,
  });

  /** Method and path of each call, as one release makes them. */
  async function callsOf({ date, gitTag }: { date: string; gitTag: string }): Promise<string[]> {
    const env = { GITHUB_TOKEN: 'ghp_sluice', GITHUB_API_URL: world.github.url };
    const credentials = createCredentials(env, world.config);
    const octokit = credentials.octokit();
    const calls = new Set<string>();
    octokit.hook.before('request', (request) => {
      const { method, url } = octokit.request.endpoint({ ...request });
      calls.add(`${method} ${new URL(url).pathname}`);
    });
    const { publishRelease, openChangelog } = createGitHubActivities({ config: world.config, credentials });
    const { notes } = await publishRelease(input(gitTag));
    await openChangelog({ app: 'api', gitTag, date, body: notes, actor: 'sara' });
    return [...calls];
  }

  it.each(KINDS)(
    '$kind: one of each in the end',
    async (fault) => {
      const first = names();
      const calls = await callsOf(first);
      expect(calls.length).toBeGreaterThan(12);
      const of = names();
      for (const call of calls) {
        const [method = '', path = ''] = call
          .replaceAll(first.gitTag, of.gitTag)
          .replaceAll(first.date, of.date)
          .replace(/(issues\/).*/, '$1')
          .split(' ');
        world.github.fault({ ...fault, method, path, times: 1 });
      }
      const isPatient = fault.kind !== 'slow' && fault.kind !== 'hold-after';
      await run(of, isPatient, isPatient ? 20 : undefined);
      // What comes late is there by then.
      if (!isPatient) await sleep(LATE_MS);
      expect(countsOf(of)).toEqual({ tag: 1, release: 1, branch: 1, file: 1, pull: 1 });
      expect(countsOf(first)).toEqual(countsOf(of));
    },
    120_000,
  );

  it('tries again at once while the first attempt is still under way: one of each all the same', async () => {
    const of = names();
    for (const path of ['/releases', '/git/refs', '/contents/', '/pulls']) {
      const method = path === '/contents/' ? 'PUT' : 'POST';
      const slow = { kind: 'slow', delayMs: LATE_MS, times: 1 } as const;
      world.github.fault({ ...slow, method, path: `/repos/WordPress/openverse${path}` });
    }
    await run(of, false, 0);
    await sleep(LATE_MS);
    expect(countsOf(of)).toEqual({ tag: 1, release: 1, branch: 1, file: 1, pull: 1 });
  }, 60_000);

  it.each([
    ['the rate limit', { kind: 'rate-limited', resetIn: 600 }, 590_000],
    ['the secondary limit', { kind: 'secondary-limit' }, 60_000],
    ['the secondary limit, which names a shorter time', { kind: 'secondary-limit', retryAfter: 5 }, 60_000],
    ['the secondary limit, which names a longer time', { kind: 'secondary-limit', retryAfter: 300 }, 300_000],
  ] as [string, Fault, number][])('waits as long as %s says', async (_name, fault, least) => {
    world.github.fault({ ...fault, times: 1 });
    const failure = await failureOf(activities.publishRelease(input(names().gitTag)));
    expect(failure).toMatchObject({ type: 'GITHUB_DOWN', nonRetryable: false });
    expect(Number(failure.nextRetryDelay)).toBeGreaterThanOrEqual(least);
    expect(isCode(failure.type)).toBe(true);
    expect(failure.cause).toBeUndefined();
  });
});
