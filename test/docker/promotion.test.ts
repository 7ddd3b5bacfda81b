/**
 * From merge to production on real containers: a signed webhook, `docker build`, a push to ministack's registry, its ECS,
 * and on staging a real browser: the sample's own tests, run by Playwright with Chromium on the build worker in a
 * checkout of the release. A probe asks production for its version during all of it.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { FRONTEND_TESTS } from '../../sandbox/sample/files.js';
import { serviceOf } from '../../sandbox/settings.js';
import type { StackOn } from '../../sandbox/stack.js';
import { startStackOn } from '../../sandbox/stack.js';
import { CHROMIUM } from '../browser/browser.js';
import { askAt } from '../e2e/ask.js';
import type { PromotionsAt } from '../e2e/promotions-at.js';
import { promotionsAt } from '../e2e/promotions-at.js';
import { personAt } from '../support/people.js';
import type { Person } from '../support/people.js';
import { startMinistackPart } from './ministack-part.js';
import type { MinistackPart } from './ministack-part.js';
import { startProbe, unbroken } from './probe.js';
import type { Probe } from './probe.js';
import { refOf, runsExactly } from './running.js';

const app = 'frontend';
const STAGING = { app, environment: 'staging' } as const;
const PRODUCTION = { app, environment: 'production' } as const;
/** For a build, a rollout and two runs of a browser. */
const WITHIN_MS = 240_000;

/** A checkout has nothing installed: Playwright and its browser are those of the worker's machine. */
const COMMAND = [
  ...['sh', '-c', 'ln -s "$0" node_modules && CHROMIUM="$1" npx playwright test --config "$2"'],
  ...[fileURLToPath(new URL('../../node_modules', import.meta.url)), CHROMIUM, FRONTEND_TESTS[0]],
];

let stack: StackOn<MinistackPart>;
let frontend: PromotionsAt;
let person: Person;
let production: Probe;

const configure = (text: string): string => {
  const config = parse(text) as { apps: Record<string, { tests?: object }> };
  Object.assign(config.apps[app] ?? {}, { tests: { command: COMMAND, attempts: 2, timeout: '3m' } });
  return stringify(config);
};

beforeAll(async () => {
  const names = [STAGING, PRODUCTION].map(({ environment }) => serviceOf(app, environment));
  stack = await startStackOn({ configure }, (input) => startMinistackPart(input, names));
  expect(stack.usesDocker).toBe(true);
  frontend = promotionsAt({ ask: askAt(stack.apiUrl), github: stack.github }, app, WITHIN_MS);
  person = personAt(stack.apiUrl);
  production = startProbe(`${stack.aws.serviceUrl(refOf(PRODUCTION))}/version.json`);
});
afterAll(async () => {
  await production?.stop();
  await stack?.close();
});

describe('two merges: one that is as it should be, one whose page only a browser finds wrong', () => {
  let first: string;

  it('merged, staged, tested in a browser, approved: production runs the digests that staging ran', async () => {
    first = await frontend.merge('Search by colour');
    const unlocked = await frontend.unlocked(first);
    expect(unlocked.tests).toMatchObject({ state: 'passed', attempts: [{ attempt: 1, state: 'passed' }] });
    expect(unlocked.tests?.attempts[0]?.detail).toMatch(/^2 passed \([0-9.]+s\)$/);
    const staged = await person.read(unlocked.staging ?? '');
    expect(staged).toMatchObject({ outcome: 'succeeded', verified: true, release: first });
    const onStaging = await runsExactly(stack.aws, { ...STAGING, revision: staged.revision, tag: first });
    // Until a person says so, production is left alone.
    expect(production.seen.releases).toEqual([stack.sample.commits.first]);

    await frontend.approve(first);
    const promoted = await frontend.reaches(first, 'promoted');
    const deployed = await person.read(promoted.production ?? '');
    expect(deployed).toMatchObject({ kind: 'promotion', outcome: 'succeeded', verified: true });
    expect(deployed.steps.find(({ name }) => name === 'build')?.state).toBe('skipped');
    const { revision, tag = '', digests } = deployed;
    expect(await runsExactly(stack.aws, { ...PRODUCTION, revision, tag })).toEqual(onStaging);
    expect([digests, promoted.approval?.digests]).toEqual([onStaging, onStaging]);
    expect(production.seen.releases.at(-1)).toBe(first);
  });

  it('its tests fail, in every attempt: it cannot be approved, and production stays', async () => {
    const before = await stack.aws.revisions(serviceOf(app, 'production'));
    const { sha } = await stack.github.mergePullRequest({
      title: 'Say it in other words',
      author: 'ann',
      by: 'alice',
      // Served, healthy and of the right release: without a browser nothing is wrong with it.
      files: {
        'frontend/www/index.html': `<h1>Search</h1>\n<script>document.querySelector('h1').textContent = '[object Object]'</script>\n`,
      },
    });
    const failed = await frontend.reaches(sha, 'failed');
    expect(failed).toMatchObject({ failedStage: 'testing', failure: { code: 'TESTS_FAILED' } });
    const detail = expect.stringMatching(/^1 failed, 1 passed \([0-9.]+s\)$/) as string;
    expect(failed.tests?.attempts).toMatchObject([
      { attempt: 1, state: 'failed', detail },
      { attempt: 2, state: 'failed', detail },
    ]);
    const refused = await frontend.ask('approve', { release: sha });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'NOT_UNLOCKED']);
    expect(await stack.aws.revisions(serviceOf(app, 'production'))).toEqual(before);
    expect(production.seen.releases.at(-1)).toBe(first);
  });

  it('not one request to production failed during all of it', async () => {
    unbroken(await production.stop(), [stack.sample.commits.first, first]);
  });
});
