import { describe, expect, it } from 'vitest';
import { baselinesOf, newsFor, rangesOf } from '../../../domain/merges/reconcile.js';
import { mergeOf } from '../../support/merges.js';

const [A, B, C] = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [string, string, string];

describe('rangesOf', () => {
  it('looks once for all apps that stand at the same commit', () => {
    const known = {
      queues: [
        { app: 'web', head: A },
        { app: 'api', head: A },
        { app: 'late', head: B, baseline: C },
      ],
      others: ['docs', 'new'],
    };
    expect(rangesOf({ known, last: { docs: A, gone: C }, onBranch: new Set() }, 10)).toEqual([
      { before: A, apps: ['api', 'docs', 'web'] },
      { before: B, apps: ['late'] },
      { apps: ['new'] },
    ]);
  });

  it('counts a queue that never ran from what staging runs, where that is on the branch', () => {
    const known = {
      queues: [{ app: 'api', baseline: A }, { app: 'web', baseline: B }, { app: 'x' }],
      others: [],
    };
    expect(baselinesOf(known)).toEqual([A, B]);
    expect(rangesOf({ known, last: {}, onBranch: new Set([A]) }, 10)).toEqual([
      { apps: ['web', 'x'] },
      { before: A, apps: ['api'] },
    ]);
  });

  it('takes those that most apps wait for, where there are too many', () => {
    const queues = [
      { app: 'a', head: A },
      { app: 'b', head: B },
      { app: 'c', head: B },
    ];
    expect(rangesOf({ known: { queues, others: [] }, last: {}, onBranch: new Set() }, 1)).toEqual([
      { before: B, apps: ['b', 'c'] },
    ]);
  });

  it('knows no app by a name of its own making', () => {
    const known = { queues: [], others: ['constructor'] };
    expect(rangesOf({ known, last: {}, onBranch: new Set() }, 1)).toEqual([{ apps: ['constructor'] }]);
  });
});

describe('newsFor', () => {
  it('tells a queue of merges, and of a head that it does not know; else nothing', () => {
    const queues = ['api', 'web', 'same', 'unread'].map((app) => ({ app, head: A }));
    const heads = { api: B, web: B, same: A };
    expect(newsFor({ known: { queues, others: [] }, heads, apps: { api: [mergeOf(1)] } })).toEqual([
      { app: 'api', news: { head: B, merges: [mergeOf(1)] } },
      { app: 'web', news: { head: B, merges: [] } },
    ]);
  });
});
