import { describe, expect, it } from 'vitest';
import type { Promotion } from '../../../domain/promotion/promotion.js';
import { commentBody, commentNews } from '../../../domain/promotion/comment.js';
import { mergeOf } from '../../support/merges.js';
import { newsOf, promotionOf } from '../../support/promotions.js';

const links = {
  queue: 'https://sluice.example/apps/api',
  staging: 'https://s.example/',
  stagingDeployment: 'https://sluice.example/deployments/staging.api.abcd',
  productionDeployment: 'https://sluice.example/deployments/production.api.abcd',
};
const body = (more: Partial<Promotion>, escalated = false, others = 0): string =>
  commentBody({ promotion: promotionOf(more), others, links, team: 'WordPress/maintainers', escalated });
const row = (text: string): string | undefined =>
  text.split('\n').find((line) => /^\| (?!staging|---)/.test(line));
const deployed = { stagedAt: '2026-01-02T03:05:00.000Z', staging: 'staging.api.abcd' };
const approval = { by: 'bob', at: '', release: '', digests: {}, tests: '' };
const S =
  '✅ [deployed](https://sluice.example/deployments/staging.api.abcd): [look at it](https://s.example/)';
const P = 'https://sluice.example/deployments/production.api.abcd';
const tests = (state: 'running' | 'passed' | 'failed', attempt = 1) => ({
  tests: { state, attempt, attempts: [], url: 'https://ci.example/1' },
});

describe('commentBody', () => {
  it.each<[Partial<Promotion>, string]>([
    [{ stage: 'staging', staging: 'x' }, `| ⏳ [is deployed](${links.stagingDeployment}) | – | – |`],
    [{ stage: 'testing', ...deployed, ...tests('running') }, `| ${S} | ⏳ [run](https://ci.example/1) | – |`],
    [
      { stage: 'awaiting-approval', ...deployed, ...tests('passed', 2) },
      `| ${S} | ✅ [passed](https://ci.example/1) (attempt 2) | 🔓 not yet |`,
    ],
    [{ stage: 'awaiting-approval', ...deployed }, `| ${S} | none configured | 🔓 not yet |`],
    [
      { stage: 'production', ...deployed, ...tests('passed'), approval },
      `| ${S} | ✅ [passed](https://ci.example/1) | ⏳ [is deployed](${P}), approved by bob |`,
    ],
    [
      { stage: 'promoted', ...deployed, ...tests('passed'), approval },
      `| ${S} | ✅ [passed](https://ci.example/1) | ✅ [deployed](${P}), approved by bob |`,
    ],
    [
      { stage: 'failed', failedStage: 'testing', ...deployed, ...tests('failed', 2) },
      `| ${S} | ❌ [failed](https://ci.example/1) (attempt 2) | – |`,
    ],
    [{ stage: 'failed', failedStage: 'staging' }, `| ❌ [failed](${links.stagingDeployment}) | – | – |`],
    [
      { stage: 'failed', failedStage: 'production', ...deployed, ...tests('passed'), approval },
      `| ${S} | ✅ [passed](https://ci.example/1) | ❌ [failed](${P}), approved by bob |`,
    ],
  ])('shows where it is: %j', (more, expected) => {
    expect(row(body(more))).toBe(expected);
  });

  it('says who can do what next', () => {
    expect(body({ stage: 'awaiting-approval', ...deployed, ...tests('passed', 2) })).toContain(
      'Unlocked for production: its tests passed at attempt 2. A maintainer can approve it: `sluice promote approve api` or [the queue’s page](https://sluice.example/apps/api).',
    );
    expect(
      body({ stage: 'failed', failedStage: 'testing', failure: { code: 'TESTS_FAILED', message: 'no' } }),
    ).toContain('Why: no (`TESTS_FAILED`)\n\nA maintainer can retry it: `sluice promote retry api`');
    expect(body({ stage: 'rejected', by: 'carol', reason: 'ugly' })).toContain(
      'By carol.\n\nReason given: ugly',
    );
  });

  it('calls the maintainers where it is theirs to end a long wait', () => {
    const waitingFor = {
      ...{ code: 'STAGING_MOVED' as const, since: '', detail: 'it runs another release' },
      ...{ who: 'a maintainer', actions: ['retry', 'reject'] },
    };
    const waiting = { stage: 'awaiting-approval' as const, ...deployed, waitingFor };
    expect(body(waiting)).not.toContain('@WordPress/maintainers');
    expect(body(waiting, true)).toContain('@WordPress/maintainers: It waits: ');
    expect(body(waiting)).toContain('it runs another release.\n\nWhat a maintainer can do: retry; reject.');
    expect(body({ stage: 'awaiting-approval', ...deployed }, true)).toContain(
      '@WordPress/maintainers: a maintainer can approve it',
    );
  });

  it('names who takes it along', () => {
    expect(body({ stage: 'superseded', carriedBy: `api.${'b'.repeat(40)}` })).toContain(
      'it went with `api.bbbbbbb`',
    );
    expect(body({ stage: 'staging' }, false, 2)).toContain('**api** `0000000`, with 2 other merges: it goes');
    expect(body({ stage: 'staging' }, false, 1)).toContain(', with 1 other merge:');
  });

  it('holds nothing that people wrote to be more than text', () => {
    const evil = '@everyone | <img src=x> [a](https://evil.example)\n# big';
    const text = body({
      ...{ stage: 'failed', failedStage: 'testing', reason: evil, by: evil },
      ...{ failure: { code: 'X`|', message: evil }, approval: { ...approval, by: evil } },
      tests: { state: 'failed', attempt: 1, attempts: [], url: 'https://x.example/a)b|c' },
    });
    expect(text).not.toContain('@everyone');
    expect(text).not.toMatch(/(?<!\\)<img/);
    expect(text).not.toMatch(/(?<!\\)\]\(https:\/\/evil/);
    expect(text).not.toContain('a)b|c');
    expect(text.split('\n').filter((line) => line.startsWith('|'))).toHaveLength(3);
    expect(text).not.toMatch(/^# /m);
  });
});

describe('commentNews', () => {
  it('is one for each pull request, with its own merges alone', () => {
    const { pullRequest: _, ...direct } = mergeOf(3);
    const merges = [mergeOf(1), mergeOf(2), direct, mergeOf(4, { pullRequest: 2 })];
    const told = commentNews(newsOf('staging', { merges }));
    expect(told.map(({ pullRequest, others }) => ({ pullRequest, others }))).toEqual([
      { pullRequest: 2, others: 2 },
      { pullRequest: 1, others: 3 },
    ]);
    expect(told[0]?.news.promotion.merges.map(({ position }) => position)).toEqual([2, 4]);
  });

  it('is bounded, the newest first', () => {
    const merges = Array.from({ length: 60 }, (_, n) => mergeOf(n + 1));
    const told = commentNews(newsOf('staging', { merges }));
    expect(told).toHaveLength(50);
    expect(told[0]?.pullRequest).toBe(60);
  });
});
