import { describe, expect, it } from 'vitest';
import { deliveredOf, otherRepository } from '../../../domain/merges/webhook.js';
import { EXAMPLES } from '../../support/webhook-examples.js';

type Payload = Record<string, unknown>;

const BEFORE = 'a'.repeat(40);
const AFTER = 'b'.repeat(40);
const NONE = '0'.repeat(40);
const MAIN = { branch: 'main' };
const push = (change: object = {}): Payload => ({
  ...{ ref: 'refs/heads/main', before: BEFORE, after: AFTER, sender: { login: 'alice' } },
  ...{ repository: { full_name: 'acme/shop' }, commits: [{ message: 'secret words' }] },
  ...change,
});
const payloadsOf = (wanted: string): Payload[] =>
  EXAMPLES.filter(({ event }) => event === wanted).map(({ payload }) => payload);

describe('deliveredOf', () => {
  it('keeps of a push to the branch what is needed, and nothing else', () => {
    expect(deliveredOf('push', push(), MAIN)).toEqual({
      ...{ event: 'push', ref: 'refs/heads/main', before: BEFORE, after: AFTER, sender: 'alice' },
    });
  });

  it('takes the first push to a branch, a forced one, and one of nobody', () => {
    const first = push({ before: NONE, forced: true, sender: undefined });
    expect(deliveredOf('push', first, MAIN)).toEqual({
      ...{ event: 'push', ref: 'refs/heads/main', before: NONE, after: AFTER },
    });
  });

  it.each([
    ['a tag', { ref: 'refs/tags/main' }],
    ['another branch', { ref: 'refs/heads/main2' }],
    ['a branch that ends like it', { ref: 'refs/heads/feature/main' }],
    ['the deletion of the branch', { after: NONE, deleted: true }],
    ['no commits', { after: undefined }],
    ['commits of another form', { before: 'HEAD~1' }],
    ['no ref', { ref: 7 }],
  ])('ignores a push of %s', (_what, change) => {
    expect(deliveredOf('push', push(change), MAIN)).toEqual({ ignored: expect.any(String) });
  });

  it('takes a workflow_run of any action', () => {
    for (const action of ['requested', 'in_progress', 'completed']) {
      const payload = { action, workflow_run: { id: 30_433_642, name: 'x' } };
      expect(deliveredOf('workflow_run', payload, MAIN)).toEqual({
        ...{ event: 'workflow_run', id: 30_433_642, action },
      });
    }
    for (const run of [undefined, null, [], { id: '1' }, { id: 1.5 }]) {
      expect(deliveredOf('workflow_run', { action: 'completed', workflow_run: run }, MAIN)).toHaveProperty(
        'ignored',
      );
    }
  });

  it('ignores every other event', () => {
    for (const event of ['ping', 'pull_request', 'check_run', 'constructor', '']) {
      expect(deliveredOf(event, push(), MAIN)).toHaveProperty('ignored');
    }
  });
});

describe('the real payloads of GitHub’s own documentation', () => {
  it('are all taken or ignored, as the event says', () => {
    expect(EXAMPLES.length).toBeGreaterThan(300);
    for (const { event: name, payload } of EXAMPLES) {
      const delivered = deliveredOf(name, payload, { branch: 'master' });
      const taken = 'event' in delivered;
      const wanted =
        name === 'workflow_run' ||
        (name === 'push' && payload['ref'] === 'refs/heads/master' && payload['deleted'] !== true);
      expect([name, taken]).toEqual([name, wanted]);
    }
  });

  it('are taken whole where they are pushes to the branch and workflow runs', () => {
    const pushes = payloadsOf('push').filter(({ ref }) => ref === 'refs/heads/master');
    expect(pushes.length).toBeGreaterThan(0);
    for (const { ref, before, after } of pushes) {
      expect(deliveredOf('push', { ...push(), ref, before, after }, { branch: 'master' })).toEqual({
        ...{ event: 'push', ref, before, after, sender: 'alice' },
      });
    }
    const runs = payloadsOf('workflow_run');
    expect(runs.length).toBeGreaterThan(0);
    for (const payload of runs) {
      const { id } = payload['workflow_run'] as { id: number };
      expect(deliveredOf('workflow_run', payload, MAIN)).toEqual({
        ...{ event: 'workflow_run', id, action: payload['action'] },
      });
    }
  });

  it('are of another repository unless the configuration names theirs', () => {
    const here = { owner: 'codertocat', name: 'hello-world' };
    for (const name of ['push', 'workflow_run']) {
      for (const payload of payloadsOf(name)) {
        const full = (payload['repository'] as { full_name: string }).full_name;
        expect(otherRepository(payload, { owner: 'acme', name: 'shop' })).toBe(full);
        if (full === 'Codertocat/Hello-World') expect(otherRepository(payload, here)).toBeUndefined();
      }
    }
    expect(otherRepository({ zen: 'x' }, here)).toBeUndefined();
    expect(otherRepository({ repository: {} }, here)).toBe('a repository without a name');
  });
});
