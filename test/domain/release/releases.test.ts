import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReleaseStateChange } from '../../../domain/messages.js';
import {
  dateMs,
  dateOf,
  deploymentUnique,
  nextDate,
  releaseDate,
  releaseNames,
} from '../../../domain/release/dates.js';
import type { ReleaseRequest } from '../../../domain/release/release.js';
import * as rules from '../../../domain/release/releases.js';
import type { ReleasesState } from '../../../domain/release/releases.js';

const NOW = Date.UTC(2026, 2, 4, 5, 6, 7, 890);
const A = `sha256:${'a'.repeat(64)}`;
const B = `sha256:${'b'.repeat(64)}`;

const ask = (unique: string, change: Partial<ReleaseRequest> = {}): ReleaseRequest => ({
  app: 'api',
  tag: unique,
  actor: 'alice',
  unique,
  requestedAt: new Date(NOW).toISOString(),
  releaseOnly: false,
  limits: { tellAfterMs: 1, giveUpAfterMs: 1, verifyMs: 1 },
  ...change,
});

function accepted(state: ReleasesState, request: ReleaseRequest, now = NOW) {
  expect(rules.judge(state, request)).toEqual({ accept: 'new' });
  const { state: next, names } = rules.accept(state, { request, now });
  return { state: next, id: names.gitTag, names };
}

const said = (id: string, change: Partial<ReleaseStateChange> = {}): ReleaseStateChange => ({
  id,
  state: 'finished',
  round: 0,
  tags: [id],
  ...change,
});

describe('a date', () => {
  it('is UTC, zero padded, to the second', () => {
    expect(releaseDate(NOW)).toBe('2026.03.04.05.06.07');
    expect(dateMs('2026.03.04.05.06.07')).toBe(NOW - 890);
    for (const text of ['2026.3.4.5.6.7', '2026.02.30.00.00.00', '2026.03.04.24.00.00', '', 'rel-x'])
      expect(dateMs(text)).toBeUndefined();
  });

  it('rises strictly, also where the clock stands or goes back', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4e12 }), { minLength: 2, maxLength: 20 }), (clock) => {
        let last: string | undefined;
        for (const now of clock) {
          const next = nextDate(last, now);
          expect(dateMs(next)).toBeDefined();
          if (last !== undefined) expect(next > last).toBe(true);
          last = next;
        }
      }),
    );
  });

  it('gives every name, and comes out of an id again', () => {
    const names = releaseNames('ingestion_server', '2026.03.04.05.06.07');
    expect(names.gitTag).toBe('ingestion_server-2026.03.04.05.06.07');
    expect(names.imageTag).toBe('rel-2026.03.04.05.06.07');
    expect(dateOf('ingestion_server', names.gitTag)).toBe(names.date);
    expect(dateOf('api', names.gitTag)).toBeUndefined();
    expect(deploymentUnique(names, 2)).toBe('rel20260304050607a2');
  });
});

describe('requests', () => {
  it('of the same second have different dates', () => {
    let state = rules.noReleases('api');
    const dates = new Set<string>();
    for (let i = 0; i < 10; i += 1) {
      const one = accepted(state, ask(`tag${i}`));
      state = one.state;
      dates.add(one.names.date);
    }
    expect(dates.size).toBe(10);
  });

  it('are known by their key, and another body under it is refused', () => {
    const { state, id } = accepted(rules.noReleases('api'), ask('k', { reason: 'x'.repeat(10_000) }));
    expect(rules.judge(state, ask('k', { reason: 'x'.repeat(10_000) }))).toEqual({ accept: 'again', id });
    expect(rules.judge(state, ask('k', { reason: `${'x'.repeat(9_999)}y` }))).toEqual({
      refuse: 'KEY_REUSED',
    });
    expect(rules.judge(state, ask('k', { tag: 'other' }))).toEqual({ refuse: 'KEY_REUSED' });
    expect(JSON.stringify(state).length).toBeLessThan(1_000);
  });

  it('for a tag or a known alias are refused with the first release, unless again', () => {
    const { state: before, id, names } = accepted(rules.noReleases('api'), ask('k', { tag: 'latest' }));
    const commit = 'c'.repeat(40);
    const { state } = rules.claim(before, { id, digests: { r: A }, tags: [commit], again: false });
    for (const tag of ['latest', names.gitTag, names.imageTag, commit]) {
      expect(rules.judge(state, ask('other', { tag }))).toEqual({ refuse: 'ALREADY_RELEASED', first: id });
      expect(rules.judge(state, ask('other', { tag, again: true }))).toEqual({ accept: 'new' });
    }
  });

  it('forget their key after a day, and not before', () => {
    const { state } = accepted(rules.noReleases('api'), ask('k'));
    const day = 24 * 60 * 60_000;
    const soon = rules.accept(state, { request: ask('x'), now: NOW + day }).state;
    expect(soon.seen.map(({ unique }) => unique)).toEqual(['k', 'x']);
    const late = rules.accept(state, { request: ask('x'), now: NOW + day + 1 }).state;
    expect(late.seen.map(({ unique }) => unique)).toEqual(['x']);
  });

  it('whose workflow never came to be leave no trace but their date', () => {
    const { state, id, names } = accepted(rules.noReleases('api'), ask('k'));
    expect(rules.withdraw(state, id)).toEqual({ ...rules.noReleases('api'), last: names.date });
  });
});

describe('images', () => {
  it('belong to the first release that claimed them, whatever the order of the ids', () => {
    const one = accepted(rules.noReleases('api'), ask('one'));
    const two = accepted(one.state, ask('two'));
    const digests = { r: A, s: B };
    const later = rules.claim(two.state, { id: two.id, digests, tags: [], again: false });
    expect(later.first).toBeUndefined();
    const swapped = { s: B, r: A };
    expect(rules.claim(later.state, { id: one.id, digests: swapped, tags: [], again: false }).first).toBe(
      two.id,
    );
    expect(rules.claim(later.state, { id: two.id, digests, tags: [], again: false }).first).toBeUndefined();
    expect(
      rules.claim(later.state, { id: one.id, digests: { r: A }, tags: [], again: false }).first,
    ).toBeUndefined();
    expect(rules.claim(later.state, { id: one.id, digests, tags: [], again: true }).first).toBeUndefined();
  });

  it('are free again when nothing is left of their release', () => {
    const { state: asked, id } = accepted(rules.noReleases('api'), ask('k', { tag: 'latest' }));
    const { state } = rules.claim(asked, { id, digests: { r: A }, tags: [], again: false });
    const kept = rules.heed(state, said(id, { tags: ['latest', id] }));
    expect(rules.judge(kept, ask('n', { tag: 'latest' }))).toMatchObject({ refuse: 'ALREADY_RELEASED' });
    const gone = rules.heed(state, said(id, { tags: [] }));
    expect(rules.judge(gone, ask('n', { tag: 'latest' }))).toEqual({ accept: 'new' });
    expect(gone.released).toEqual([]);
  });
});

describe('turns', () => {
  const two = () => {
    const one = accepted(rules.noReleases('api'), ask('one'));
    const other = accepted(one.state, ask('two'));
    return { state: other.state, one: one.id, other: other.id };
  };
  const turn = (state: ReleasesState): ReleasesState => {
    const next = rules.nextTurn(state);
    return next ? rules.giveTurn(state, next) : state;
  };

  it('are given in order; a blocked one holds none and queues again', () => {
    const { state, one, other } = two();
    const first = turn(state);
    expect(first.running?.id).toBe(one);
    expect(turn(first)).toBe(first);
    const second = turn(rules.heed(first, said(one, { state: 'blocked' })));
    expect(second.running?.id).toBe(other);
    const queued = rules.heed(second, said(one, { state: 'ready', round: 1 }));
    expect(queued.waiting).toEqual([{ id: one, round: 1 }]);
    expect(turn(rules.heed(queued, said(other))).running).toEqual({ id: one, round: 1 });
  });

  it('are not lost by words that come late or twice', () => {
    const { state, one } = two();
    const blocked = rules.heed(turn(state), said(one, { state: 'blocked' }));
    const again = rules.heed(blocked, said(one, { state: 'ready', round: 1 }));
    expect(rules.heed(again, said(one, { state: 'ready', round: 1 })).waiting).toEqual(again.waiting);
    expect(rules.heed(again, said(one, { state: 'blocked', round: 0 })).waiting).toEqual(again.waiting);
    expect(rules.heed(again, said(one, { state: 'ready', round: 0 })).waiting).toEqual(again.waiting);
  });

  it('are given once more to one that never heard of it', () => {
    const { state, one } = two();
    const asked = rules.heed(turn(state), said(one, { state: 'ready' }));
    expect(turn(asked).running).toEqual({ id: one, round: 0 });
  });

  it('free the place of one whose block was never told', () => {
    const { state, one, other } = two();
    const asked = rules.heed(turn(state), said(one, { state: 'ready', round: 1 }));
    expect(asked.waiting.map(({ id }) => id)).toEqual([other, one]);
    expect(asked.running).toBeUndefined();
  });
});

type Event =
  | { kind: 'ask'; tag: number; again: boolean; now: number }
  | { kind: 'turn' }
  | { kind: 'say'; which: number; state: ReleaseStateChange['state']; round: number; left: boolean }
  | { kind: 'claim'; which: number; digest: number; again: boolean }
  | { kind: 'json' };

const events: fc.Arbitrary<Event[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('ask' as const),
      tag: fc.nat(5),
      again: fc.boolean(),
      now: fc.integer({ min: NOW - 5_000, max: NOW + 5_000 }),
    }),
    fc.record({ kind: fc.constant('turn' as const) }),
    fc.record({
      kind: fc.constant('say' as const),
      which: fc.nat(20),
      state: fc.constantFrom('ready' as const, 'blocked' as const, 'finished' as const),
      round: fc.nat(2),
      left: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('claim' as const),
      which: fc.nat(20),
      digest: fc.nat(3),
      again: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('json' as const) }),
  ),
  { maxLength: 60 },
);

describe('any history', () => {
  it('keeps one place a release, one running, dates apart, and is plain JSON', () => {
    fc.assert(
      fc.property(events, (history) => {
        let state = rules.noReleases('api');
        const ids: string[] = [];
        let keys = 0;
        for (const event of history) {
          if (event.kind === 'ask') {
            const request = ask(`key${(keys += 1)}`, { tag: `t${event.tag}`, again: event.again });
            const verdict = rules.judge(state, request);
            if ('refuse' in verdict) {
              expect(verdict).toMatchObject({ refuse: 'ALREADY_RELEASED' });
              continue;
            }
            const { state: next, names } = rules.accept(state, { request, now: event.now });
            expect(ids).not.toContain(names.gitTag);
            ids.push(names.gitTag);
            state = next;
          } else if (event.kind === 'turn') {
            const next = rules.nextTurn(state);
            if (next) state = rules.giveTurn(state, next);
          } else if (event.kind === 'json') {
            const copy = JSON.parse(JSON.stringify(state)) as ReleasesState;
            expect(copy).toEqual(state);
            state = copy;
          } else {
            const id = ids[event.which];
            if (id === undefined) continue;
            if (event.kind === 'say') {
              const { state: word, round, left } = event;
              const change = said(id, { state: word, round, tags: left ? [id] : [] });
              state = rules.heed(state, change);
              // Said twice it changes nothing more, but that one who asks for its turn is given it again.
              if (word !== 'ready') expect(rules.heed(state, change)).toEqual(state);
              if (word !== 'ready' && word === 'finished') expect(rules.idsHere(state)).not.toContain(id);
            } else {
              const claim = { id, digests: { r: `d${event.digest}` }, tags: [], again: event.again };
              const answer = rules.claim(state, claim);
              if (answer.first !== undefined) expect(answer.first).not.toBe(id);
              state = answer.state;
              expect(rules.claim(state, claim).first).toBe(answer.first);
            }
          }
          const here = rules.idsHere(state);
          expect(new Set(here).size).toBe(here.length);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('stays bounded', () => {
    let state = rules.noReleases('api');
    for (let i = 0; i < 1_200; i += 1) {
      const { state: next, id } = accepted(state, ask(`key${i}`), NOW);
      state = rules.heed(next, said(id, { digests: { r: `${A}${i}` } }));
    }
    expect(state.released).toHaveLength(rules.RELEASED_KEPT);
    expect(state.seen).toHaveLength(1_000);
    expect(JSON.stringify(state).length).toBeLessThan(500_000);
    const view = rules.viewOf(state);
    expect(view.released).toHaveLength(50);
    expect(view.released[0]?.id).toBe(state.released.at(-1)?.id);
    expect(JSON.stringify(view).length).toBeLessThan(50_000);
  });
});

describe('recovery', () => {
  it('keeps what came while it was under way, and goes on after every known date', () => {
    const found: rules.RecoveredReleases = {
      running: { id: 'api-2026.03.04.05.06.01', round: 1 },
      waiting: [{ id: 'api-2026.03.04.05.06.02', round: 0 }],
      released: [{ id: 'api-2026.03.04.05.06.01', tags: ['t'], digests: `r@${A}` }],
      seen: [
        { unique: 'k', id: 'api-2026.03.04.05.06.01', fingerprint: rules.fingerprint(ask('k')), at: '' },
      ],
      dates: rules.datesOf('api', ['api-2027.01.01.00.00.00', 'other-2028.01.01.00.00.00', 'api-x']),
    };
    const state = rules.recover(rules.noReleases('api'), found);
    expect(rules.idsHere(state)).toEqual([found.running?.id, 'api-2026.03.04.05.06.02']);
    expect(state.last).toBe('2027.01.01.00.00.00');
    expect(rules.judge(state, ask('k'))).toMatchObject({ accept: 'again' });
    expect(rules.judge(state, ask('n', { tag: 't' }))).toMatchObject({ refuse: 'ALREADY_RELEASED' });
    const next = rules.accept(state, { request: ask('n'), now: NOW });
    expect(next.names.date).toBe('2027.01.01.00.00.01');
    expect(rules.recover(state, found)).toMatchObject({ running: state.running, waiting: state.waiting });
  });
});
