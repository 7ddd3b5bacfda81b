import { describe, expect, it } from 'vitest';
import type { Tests } from '../../../domain/promotion/promotion.js';
import {
  isLaterNews,
  isSameNews,
  nextNews,
  promotionHeadline,
  promotionLinks,
} from '../../../domain/promotion/notice.js';
import { promotionSlack, type PromotionSlackInput } from '../../../domain/promotion/slack.js';
import { mergeOf } from '../../support/merges.js';
import { newsOf } from '../../support/promotions.js';

const links = {
  queue: 'https://sluice.example/apps/api',
  staging: 'https://api-staging.example/',
};
const slack = (news: PromotionSlackInput['news'], more: Partial<PromotionSlackInput> = {}) =>
  promotionSlack({
    news,
    links,
    users: { Bob: 'U0B', alice: 'U0A' },
    team: 'WordPress/maintainers',
    ...more,
  });
const passed = (attempt: number): Tests => ({ state: 'passed', attempt, attempts: [] });
const waitingFor = {
  code: 'ENVIRONMENTS_DIFFER' as const,
  since: '2026-01-02T03:00:00.000Z',
  detail: 'staging runs 1, production runs 2',
  who: 'a maintainer',
  actions: ['adopt it', 'restore staging'],
};

describe('who is told of what', () => {
  it('calls who merged to look at staging while the tests run', () => {
    const told = slack(newsOf('testing', { stage: 'testing' }));
    expect(told?.call).toBe(told?.message.text);
    expect(told?.call).toContain(
      '*api* `0000000` runs on staging. <@U0B>: look at it <https://api-staging.example/|on staging> while its tests run.',
    );
  });

  it('says at the button which attempt passed, and whether there were tests', () => {
    const at = (tests?: Tests) =>
      slack(newsOf('unlocked', { stage: 'awaiting-approval', ...(tests ? { tests } : {}) }))?.call;
    expect(at(passed(1))).toContain('*is unlocked for production*: its tests passed. <@U0B>:');
    expect(at(passed(2))).toContain('its tests passed at attempt 2');
    expect(at()).toContain('no tests are configured');
    expect(at()).toContain('Approve: `sluice promote approve api`');
  });

  it('says what it waits for, and who can do what', () => {
    const told = slack(newsOf('waiting', { stage: 'queued', waitingFor }))?.call;
    expect(told).toContain(
      '<@U0B>: staging and production run different releases: staging runs 1, production runs 2, since 2026-01-02T03:00:00.000Z.',
    );
    expect(told).toContain('a maintainer can: adopt it; restore staging');
  });

  it('turns to the maintainers where nobody came', () => {
    const told = slack(newsOf('escalated', { stage: 'queued', waitingFor }))?.call;
    expect(told).toContain('@WordPress/maintainers: staging and production run different releases');
    expect(told).not.toContain('<@');
  });

  it('calls nobody for what needs nobody', () => {
    const approval = {
      by: 'alice',
      at: '',
      release: '',
      digests: {},
      tests: '',
      override: true,
      reason: 'urgent',
    };
    expect(slack(newsOf('staging'))).not.toHaveProperty('call');
    const told = slack(newsOf('production', { stage: 'production', approval }));
    expect(told).not.toHaveProperty('call');
    expect(told?.message.text).toContain('goes to production, approved by <@U0A>.');
    expect(told?.message.text).toContain('Reason given: urgent');
    expect(told?.message.text).toContain('overridden');
  });
});

describe('how it ended', () => {
  const ended = (more: Parameters<typeof newsOf>[1]) => slack(newsOf('ended', more))?.message.text;

  it.each([
    [{ stage: 'promoted' }, ':white_check_mark:', '*is in production*'],
    [
      { stage: 'failed', failedStage: 'testing', failure: { code: 'TESTS_FAILED', message: '3 of 40' } },
      ':rotating_light:',
      '*failed* at testing. <@U0B>: it stays until it is retried or the next merge goes.\nWhy: 3 of 40 (`TESTS_FAILED`)',
    ],
    [
      { stage: 'rejected', by: 'alice', reason: 'looks wrong' },
      ':no_entry:',
      '*was rejected* by <@U0A>.\nReason given: looks wrong',
    ],
    [{ stage: 'cancelled', by: 'carol' }, ':no_entry:', '*was cancelled* by carol.'],
    [
      { stage: 'superseded', carriedBy: 'api.abc' },
      ':fast_forward:',
      '*was superseded*: `api.abc` carries it.',
    ],
  ] as const)('%j', (more, icon, words) => {
    const text = ended(more);
    expect(text).toContain(words);
    expect(text?.startsWith(icon)).toBe(true);
  });

  it('is not told of a merge that another one took along before it began', () => {
    const { startedAt: _, ...promotion } = newsOf('ended', {
      stage: 'superseded',
      carriedBy: 'api.x',
    }).promotion;
    expect(slack({ at: 'now', change: 'ended', promotion })).toBeUndefined();
  });
});

describe('what people wrote', () => {
  it('mentions, links and formats nothing', () => {
    const evil = '<!channel> *x* `y` <https://evil.example|here>\n@everyone';
    const merges = [mergeOf(1, { title: evil, author: evil, mergedBy: evil })];
    const message = evil;
    for (const change of ['staging', 'testing', 'unlocked', 'waiting', 'escalated', 'ended'] as const) {
      const told = slack(
        newsOf(change, {
          ...{ merges, stage: 'failed', failure: { code: evil, message }, reason: evil },
          waitingFor: { ...waitingFor, detail: evil, who: evil, actions: [evil] },
        }),
      );
      const all = JSON.stringify(told);
      expect(all).not.toContain('<!channel>');
      expect(all).not.toContain('<https://evil');
    }
  });

  it('lists the newest merges, and how many more there are', () => {
    const merges = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => mergeOf(n));
    const [section] = slack(newsOf('staging', { merges }))?.message.blocks ?? [];
    expect(section?.text.text).toContain('• change 8 (#8, alice)\n• change 7 (#7, alice)');
    expect(section?.text.text).toContain('• and 3 earlier ones');
    expect(section?.text.text).not.toContain('change 3 ');
  });
});

describe('the order', () => {
  it('passes over what is outdated, but never an end', () => {
    const news = (['staging', 'testing', 'ended', 'production', 'waiting'] as const).map((change) =>
      newsOf(change),
    );
    expect([0, 1, 2, 3, 4, 5].map((from) => nextNews(news, from))).toEqual([2, 2, 2, 4, 4, undefined]);
  });

  it('follows time, since a promotion that is retried goes back', () => {
    const ended = newsOf('ended');
    const again = newsOf('production');
    expect(isLaterNews(again, ended)).toBe(true);
    expect(isLaterNews(ended, again)).toBe(false);
    expect(isLaterNews(ended, ended)).toBe(false);
    const [unlocked, approved] = (['unlocked', 'production'] as const).map((change) =>
      newsOf(change, {}, 'now'),
    );
    expect(unlocked && approved && isLaterNews(approved, unlocked)).toBe(true);
    expect(unlocked && approved && isLaterNews(unlocked, approved)).toBe(false);
    expect(isSameNews(ended, { ...ended })).toBe(true);
    expect(isSameNews(ended, again)).toBe(false);
  });
});

describe('links and lines', () => {
  const service = { service: 's', template: 't', family: 'f' };
  const app = {
    ...{ paths: [], images: [], releaseOnly: false, build: 'sluice' as const, prepare: [] },
    environments: { staging: { ...service, url: 'https://s.example' }, production: service },
  };

  it('lead to what is configured and known', () => {
    const of = { app: 'api', staging: 'staging.api.abcd', production: 'production.api.abcd' };
    expect(promotionLinks({ apps: { api: app } }, of, 'https://sluice.example/')).toEqual({
      queue: 'https://sluice.example/apps/api',
      stagingDeployment: 'https://sluice.example/deployments/staging.api.abcd',
      productionDeployment: 'https://sluice.example/deployments/production.api.abcd',
      staging: 'https://s.example',
    });
    expect(promotionLinks({ apps: {} }, { app: 'toString' })).toEqual({});
  });

  it('say in a log what happened', () => {
    expect(promotionHeadline(newsOf('ended', { stage: 'failed', failedStage: 'staging' }))).toBe(
      'failed at staging: promotion of api @ 0000000',
    );
    expect(promotionHeadline(newsOf('waiting', { waitingFor }))).toBe(
      'waiting (ENVIRONMENTS_DIFFER): promotion of api @ 0000000',
    );
    expect(promotionHeadline(newsOf('testing'))).toBe('testing: promotion of api @ 0000000');
  });
});
