import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillConfig } from '../../domain/config/fill.js';
import type { Deployment } from '../../domain/deployment.js';
import { OUTCOMES } from '../../domain/deployment.js';
import type { Notice } from '../../domain/messages.js';
import {
  escaped,
  githubStatus,
  isLater,
  nextNotice,
  noticeLinks,
  slackMessage,
  type NoticePlace,
} from '../../domain/notice.js';
import { deploymentOf, noticeOf } from '../support/notices.js';

const users = { alice: 'U024BE7LH', Bob: 'W1' };
const message = (notice: Notice, links = {}) => slackMessage({ notice, links, users });
const failure = {
  step: 'stabilise',
  code: 'ROLLED_BACK',
  message: 'ECS rolled back: 3 tasks stopped',
} as const;

describe('the order on a channel', () => {
  const at = (second: number) => `2026-01-02T03:04:0${second}.000Z`;
  const one = (change: Notice['change'], second = 0): Notice => noticeOf(change, {}, at(second));

  it('is start, slow, end, however they arrive', () => {
    const waiting = [one('ended', 1), one('started', 3)];
    expect(nextNotice(waiting)?.change).toBe('started');
    expect(nextNotice(waiting, waiting[1])?.change).toBe('ended');
    expect(nextNotice(waiting, waiting[0])).toBeUndefined();
    expect(nextNotice([])).toBeUndefined();
  });

  it('passes over what is of no interest any more', () => {
    expect(nextNotice([one('slow'), one('ended')])?.change).toBe('ended');
    expect(nextNotice([one('slow', 1), one('slow', 2)])?.at).toBe(at(2));
    expect(nextNotice([one('slow', 1)], one('ended'))).toBeUndefined();
  });

  it('tells nothing twice', () => {
    expect(nextNotice([one('ended'), one('ended')], one('ended'))).toBeUndefined();
  });

  it('never goes back, never loses start or end, and comes to its end', () => {
    const notice = fc
      .tuple(fc.constantFrom('started', 'slow', 'ended'), fc.integer({ min: 0, max: 9 }))
      .map(([change, second]) => one(change, second));
    fc.assert(
      fc.property(fc.array(notice, { maxLength: 12 }), (waiting) => {
        const told: NoticePlace[] = [];
        for (;;) {
          const next = nextNotice(waiting, told.at(-1));
          if (!next) break;
          const last = told.at(-1);
          if (last) expect(isLater(next, last)).toBe(true);
          told.push(next);
        }
        const changes = told.map(({ change }) => change);
        for (const change of ['started', 'ended'] as const) {
          const isThere = waiting.some((each) => each.change === change);
          expect(changes.filter((each) => each === change)).toHaveLength(isThere ? 1 : 0);
        }
      }),
    );
  });
});

describe('the Slack message', () => {
  it('has Openverse’s shape: a text and two sections', () => {
    const { text, blocks } = message(noticeOf('started'), {
      deployment: 'https://sluice.example/deployments/production.api.k3j2',
      app: 'https://api.example/?a=1&b=2',
      logs: 'https://logs.example',
      runbook: 'https://runbook.example',
    });
    const first =
      ':arrow_forward: A release of *production-api* using the `rel-2026.01.02.03.04.05` tag, ' +
      'triggered by <@U024BE7LH>, is starting.';
    expect(text).toBe(first);
    expect(blocks.map(({ type, text: { type: kind } }) => [type, kind])).toEqual([
      ['section', 'mrkdwn'],
      ['section', 'mrkdwn'],
    ]);
    expect(blocks[0].text.text).toBe(first);
    expect(blocks[1].text.text).toBe(
      '`production.api.k3j2` · <https://sluice.example/deployments/production.api.k3j2|Follow it> · ' +
        '<https://api.example/?a=1&amp;b=2|Service> · <https://logs.example|Logs> · <https://runbook.example|Runbook>',
    );
  });

  it('names people whom it does not know, and knows logins in any case', () => {
    expect(message(noticeOf('started', { actor: 'mallory' })).text).toContain('triggered by mallory,');
    expect(message(noticeOf('started', { actor: 'constructor' })).text).toContain('by constructor,');
    expect(message(noticeOf('started', { actor: 'bob' })).text).toContain('<@W1>');
  });

  it('says that it takes too long', () => {
    const warnings = [{ code: 'SLOW', message: 'It has taken more than 15 minutes' }];
    const { text } = message(noticeOf('slow', { warnings }));
    expect(text).toContain('*is taking too long*');
    expect(text).toContain('It has taken more than 15 minutes');
  });

  it.each(OUTCOMES.map((outcome) => [outcome] as const))('says how it ended: %s', (outcome) => {
    const ended = { outcome, ...(outcome === 'succeeded' ? { verified: true } : { failure }) };
    const { text, blocks } = message(noticeOf('ended', { ...ended, reason: 'because' }));
    const word =
      { 'timed-out': 'did not settle', 'rolled-back': 'rolled back' }[outcome as string] ?? outcome;
    expect(text).toContain(word);
    expect(text.includes('ECS rolled back: 3 tasks stopped')).toBe(outcome !== 'succeeded');
    expect(text.includes('ROLLED_BACK')).toBe(outcome !== 'succeeded');
    expect(blocks[0].text.text).toContain('Reason given: because');
  });

  it('says where nothing proves what runs', () => {
    const { text } = message(noticeOf('ended', { outcome: 'succeeded', verified: false }));
    expect(text).toContain('could not be verified');
  });

  it('tells of every use of the emergency token', () => {
    const warnings = [{ code: 'EMERGENCY', message: 'nobody’s membership was checked' }];
    for (const change of ['started', 'slow', 'ended'] as const) {
      const notice = noticeOf(change, { warnings, actor: 'emergency' });
      expect(message(notice).text).toContain('*Emergency*: nobody’s membership was checked');
      expect(githubStatus(notice).description).toMatch(/^EMERGENCY: /);
    }
  });

  it('leaves out links that Slack would not read as one', () => {
    const links = { deployment: 'javascript:alert(1)', logs: 'https://x|y', runbook: 'https://x>y' };
    expect(message(noticeOf('started'), links).blocks[1].text.text).toBe('`production.api.k3j2`');
  });

  it('holds whatever people wrote, within Slack’s limits, and nothing of it is a command', () => {
    const nasty = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12_000 }),
      fc
        .array(
          fc.constantFrom('<', '>', '&', '`', '```', '\n', '<!channel>', '<@U1>', '|', '*', '😀', '\u202e'),
          {
            maxLength: 4_000,
          },
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(nasty, nasty, nasty, nasty, (reason, why, actor, tag) => {
        const deployment: Partial<Deployment> = { reason, actor, tag, outcome: 'failed' };
        const warnings = [{ code: 'EMERGENCY', message: reason }];
        const notice = noticeOf('ended', { ...deployment, warnings, failure: { ...failure, message: why } });
        const { text, blocks } = slackMessage({ notice, links: { logs: 'https://logs.example' }, users: {} });
        for (const part of [text, ...blocks.map((block) => block.text.text)]) {
          expect(part.length).toBeLessThanOrEqual(3_000);
          expect(part).not.toMatch(/\p{Cs}/u);
          const rest = part.replaceAll('<https://logs.example|Logs>', '');
          expect(rest).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
          // At most the tag, the id and the code are code, and every span is closed in its own line.
          for (const line of rest.split('\n')) expect((line.match(/`/g) ?? []).length % 2).toBe(0);
          expect(rest).not.toContain('```');
        }
        expect(text.split('\n').length).toBeLessThanOrEqual(3);
      }),
      { numRuns: 60 },
    );
  });
});

describe('escaped', () => {
  it('cuts between characters, never inside of one', () => {
    expect(escaped('a<b', 100)).toBe('a&lt;b');
    expect(escaped('&&&', 10)).toBe('&amp;…');
    expect(escaped('😀😀', 4)).toBe('😀…');
    expect(escaped(' a\n\n b ', 10)).toBe('a b');
  });
});

describe('the GitHub status', () => {
  it.each([
    ['succeeded', 'success'],
    ['rolled-back', 'failure'],
    ['failed', 'failure'],
    ['timed-out', 'failure'],
    ['rejected', 'error'],
    ['stopped', 'inactive'],
    ['superseded', 'inactive'],
  ] as const)('of %s is %s', (outcome, state) => {
    const status = githubStatus(noticeOf('ended', { outcome, ...(state === 'success' ? {} : { failure }) }));
    expect(status.state).toBe(state);
    expect(status.description.includes(failure.message)).toBe(state !== 'success');
    expect(status.description).not.toContain('*');
  });

  it('tells a start from one that takes too long', () => {
    const [started, slow] = (['started', 'slow'] as const).map((change) => githubStatus(noticeOf(change)));
    expect(started?.state).toBe('in_progress');
    expect(slow?.state).toBe('in_progress');
    expect(slow?.description).not.toBe(started?.description);
  });
});

describe('the links', () => {
  const config = fillConfig(
    {
      repository: { owner: 'WordPress', name: 'openverse', branch: 'main' },
      maintainers: { org: 'WordPress', team: 'openverse-maintainers' },
      aws: { region: 'us-east-1' },
      environments: { production: { cluster: 'p' } },
      apps: {
        api: {
          images: [{ container: 'django', repository: 'openverse-api', context: 'api' }],
          runbookUrl: 'https://runbook.example',
          environments: {
            production: { service: 'p-api', url: 'https://api.example', logsUrl: 'https://logs.example' },
          },
        },
      },
    } as never,
    'https://github.com',
  );

  it('come from the configuration', () => {
    expect(noticeLinks(config, deploymentOf(), 'https://sluice.example/')).toEqual({
      deployment: 'https://sluice.example/deployments/production.api.k3j2',
      app: 'https://api.example',
      logs: 'https://logs.example',
      runbook: 'https://runbook.example',
    });
  });

  it('are none for what is not configured', () => {
    expect(noticeLinks(config, deploymentOf({ app: 'toString' }))).toEqual({});
    expect(noticeLinks(config, deploymentOf({ environment: 'constructor' }))).toEqual({
      runbook: 'https://runbook.example',
    });
  });
});
