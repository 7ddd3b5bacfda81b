import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createComment } from '../../activities/github/comments.js';
import type { Config } from '../../domain/config/config.js';
import { failureOf } from '../support/failures.js';
import { startFakeGitHub, type Answer, type FakeGitHub } from '../support/fake-github.js';
import { configOf } from '../support/images.js';

interface Comment {
  id: number;
  body: string;
  user: { id: number };
}

const MARKER = '<!-- sluice: api.abc -->';
const SLUICE = { id: 1 };
const MISSING: Answer = { status: 404, body: { message: 'Not Found' } };

let config: Config;
let github: FakeGitHub;
let comments: Comment[];
let isLocked: boolean;

const add = (body: string, user = SLUICE): Comment => {
  const comment = { id: Math.max(0, ...comments.map(({ id }) => id)) + 1, body, user };
  comments.push(comment);
  return comment;
};

beforeEach(async () => {
  config = configOf([]);
  comments = [];
  isLocked = false;
  github = await startFakeGitHub(config, {
    'GET /issues/12': (): Answer => ({ body: { number: 12, locked: isLocked } }),
    'GET /issues/12/comments': ({ query }): Answer => {
      const [per, page] = [Number(query.get('per_page')), Number(query.get('page'))];
      return { body: comments.slice((page - 1) * per, page * per) };
    },
    'POST /issues/12/comments': ({ body }): Answer => ({ status: 201, body: add(String(body['body'])) }),
    'PATCH /issues/comments/*': ({ body }, id): Answer => {
      const comment = comments.find((one) => String(one.id) === id);
      return comment ? { body: Object.assign(comment, { body: String(body['body']) }) } : MISSING;
    },
    'DELETE /issues/comments/*': (_, id): Answer => {
      comments = comments.filter((one) => String(one.id) !== id);
      return { status: 204 };
    },
  });
});
afterEach(async () => {
  await github.close();
  expect(github.wrong).toEqual([]);
});

const comment = async (body: string, given: { pullRequest?: number; marker?: string } = {}): Promise<void> =>
  await createComment({ config, credentials: github.credentials }).comment({
    pullRequest: 12,
    marker: 'api.abc',
    body,
    ...given,
  });
const methods = (): string[] => github.asked.map(({ method }) => method);

describe('comment', () => {
  it('makes one, and edits it in place', async () => {
    add('looks good');
    await comment('It is on staging.\n');
    await comment('It is on production.');
    expect(comments.map(({ body }) => body)).toEqual(['looks good', `It is on production.\n\n${MARKER}`]);
    await comment('Another one', { marker: 'web.def' });
    expect(comments).toHaveLength(3);
  });

  it('writes nothing where it says that already', async () => {
    add(`It is on staging.\r\n\r\n${MARKER}`);
    await comment('It is on staging.');
    expect(methods()).toEqual(['GET']);
  });

  it('finds it on a later page', async () => {
    for (let count = 0; count < 250; count += 1) add(`comment ${count}`);
    add(`Old\n\n${MARKER}`);
    await comment('New');
    expect(comments).toHaveLength(251);
    expect(comments.at(-1)?.body).toBe(`New\n\n${MARKER}`);
  });

  it('takes none that quotes it, or that begins like it', async () => {
    const [quote, text] = [`> Old\n> \n> ${MARKER}`, `${MARKER}\n\nhow is this hidden?`];
    add(quote, { id: 2 });
    add(text, { id: 2 });
    add('x\n\n<!-- sluice: api.abc.2 -->');
    await comment('New');
    expect(comments.map(({ body }) => body).slice(0, 2)).toEqual([quote, text]);
    expect(comments).toHaveLength(4);
  });

  it('is there once where the answer was lost', async () => {
    github.before = ({ method, body }) => {
      if (method !== 'POST') return undefined;
      github.before = undefined;
      add(String(body['body']));
      return { isLost: true };
    };
    const failure = await failureOf(comment('It is on staging.'));
    expect(failure).toMatchObject({ type: 'GITHUB_DOWN', nonRetryable: false });
    expect(Number(failure.nextRetryDelay)).toBeGreaterThanOrEqual(5_000);
    await comment('It is on staging.');
    expect(comments).toHaveLength(1);
  });

  it('removes a double that came late, and no copy of a person', async () => {
    add(`Old\n\n${MARKER}`);
    const copy = add(`Copied\n\n${MARKER}`, { id: 2 });
    add(`Old\n\n${MARKER}`);
    await comment('New');
    expect(comments.map(({ body }) => body)).toEqual([`New\n\n${MARKER}`, copy.body]);
    expect(methods().filter((method) => method === 'DELETE')).toHaveLength(1);
  });

  it('makes it again where it was removed in between', async () => {
    add(`Old\n\n${MARKER}`);
    github.before = ({ method }) => (method === 'PATCH' ? ((comments = []), undefined) : undefined);
    await comment('New');
    expect(comments.map(({ body }) => body)).toEqual([`New\n\n${MARKER}`]);
  });

  it('says that a conversation is locked, and waits where the token may not write', async () => {
    github.before = ({ method }) =>
      method === 'POST' ? { status: 403, body: { message: 'Unable to create comment' } } : undefined;
    expect(await failureOf(comment('x'))).toMatchObject({ type: 'GITHUB_REFUSED', nonRetryable: false });
    isLocked = true;
    const failure = await failureOf(comment('x'));
    expect(failure).toMatchObject({ type: 'GITHUB_FAILED', nonRetryable: true });
    expect(failure.message).toContain('pull request 12 is locked');
  });

  it('refuses a pull request that is not there', async () => {
    const failure = await failureOf(comment('x', { pullRequest: 13 }));
    expect(failure).toMatchObject({ type: 'GITHUB_FAILED', nonRetryable: true });
    expect(failure.message).toContain('pull request 13');
  });
});
