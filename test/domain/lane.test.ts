import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeploymentRequest } from '../../domain/deployment.js';
import type { LaneState } from '../../domain/lane.js';
import * as rules from '../../domain/lane.js';
import type { BadMark, LiveRelease } from '../../domain/messages.js';
import { request } from '../support/requests.js';

const empty = rules.emptyLane({ app: 'api', environment: 'staging' });
const mark: BadMark = {
  release: 'r9',
  tag: 'rel-2026.01.01.00.00.00',
  reason: 'broken',
  by: 'bob',
  at: '2026-01-01T00:00:00.000Z',
};
const lock = { reason: 'freeze', by: 'bob', at: '2026-01-01T00:00:00.000Z' };

const accept = (lane: LaneState, one: DeploymentRequest): LaneState =>
  rules.remember(rules.enlist(lane, rules.ticketOf(one)), one);
const ready = (lane: LaneState, one: DeploymentRequest): LaneState =>
  rules.markReady(lane, rules.ticketOf(one));

function live(change: Partial<LiveRelease> = {}): LiveRelease {
  return {
    id: 'staging.api.x',
    release: 'r1',
    tag: 'r1',
    digests: {},
    revision: 'arn:1',
    verified: true,
    at: '2026-01-01T00:00:00.000Z',
    by: 'alice',
    ...change,
  };
}

describe('turns', () => {
  it('gives the turn to one at a time, in the order of acceptance', () => {
    const [a, b] = [request(), request()];
    let lane = ready(ready(accept(accept(empty, a), b), b), a);
    const first = rules.nextTurn(lane);
    expect(first?.id).toBe(a.id);
    lane = rules.giveTurn(lane, first!);
    expect(rules.nextTurn(lane)).toBeUndefined();
    lane = rules.end(lane, { id: a.id, outcome: 'failed' });
    expect(rules.nextTurn(lane)?.id).toBe(b.id);
  });

  it('passes by one whose images are still being built', () => {
    const [building, built] = [request(), request()];
    const lane = ready(accept(accept(empty, building), built), built);
    expect(rules.nextTurn(lane)?.id).toBe(built.id);
  });

  it('takes a turn back: it waits on in its old place; a rollback that came meanwhile replaces it', () => {
    const [promotion, later] = [request({ kind: 'promotion' }), request()];
    const taken = ready(accept(accept(empty, promotion), later), promotion);
    const running = rules.giveTurn(taken, rules.nextTurn(taken)!);
    const ticket = rules.ticketOf(promotion);
    const { lane, supersededBy } = rules.giveBack(running, ticket);
    expect([lane.running, lane.waiting.map(({ id }) => id)]).toEqual([undefined, [promotion.id, later.id]]);
    expect(supersededBy).toBeUndefined();
    expect(rules.nextTurn(lane)).toBeUndefined();

    const back = request({ kind: 'rollback' });
    const replaced = rules.giveBack(accept(running, back), ticket);
    expect(replaced.supersededBy).toBe(back.id);
    expect(replaced.lane.waiting.map(({ id }) => id)).toEqual([later.id, back.id]);
    expect(rules.giveBack(lane, ticket)).toEqual({ lane });
  });

  it('lets a rollback go first', () => {
    const [a, back] = [request(), request({ kind: 'rollback' })];
    const lane = ready(ready(accept(accept(empty, a), back), a), back);
    expect(rules.nextTurn(lane)?.id).toBe(back.id);
    expect(rules.positionOf(lane, back.id)).toBe(0);
    expect(rules.positionOf(lane, a.id)).toBe(1);
  });

  it('gives none while locked, and what waits keeps its place', () => {
    const one = request();
    const lane = rules.lock(ready(accept(empty, one), one), lock);
    expect(rules.nextTurn(lane)).toBeUndefined();
    expect(rules.nextTurn(rules.unlock(lane))?.id).toBe(one.id);
  });
});

describe('requests', () => {
  it('know the same key again, also while locked, and refuse another body with it', () => {
    const one = request();
    const lane = rules.lock(accept(empty, one), lock);
    expect(rules.judgeRequest(lane, one)).toEqual({ accept: 'again' });
    expect(rules.judgeRequest(lane, { ...one, tag: 'other' })).toEqual({ refuse: 'KEY_REUSED' });
    expect(rules.judgeRequest(lane, request())).toEqual({ refuse: 'LOCKED', lock });
  });

  it('are remembered for 24 hours, and not for ever', () => {
    const old = request({ queuedAt: '2026-01-01T00:00:00.000Z' });
    const next = (queuedAt: string): DeploymentRequest => request({ queuedAt });
    const within = accept(accept(empty, old), next('2026-01-01T23:00:00.000Z'));
    expect(within.seen.map(({ id }) => id)).toContain(old.id);
    const beyond = accept(accept(empty, old), next('2026-01-02T00:00:01.000Z'));
    expect(beyond.seen.map(({ id }) => id)).not.toContain(old.id);
  });

  it('take the place of their acceptance, however late they are enlisted', () => {
    const [a, b, c] = [request(), request(), request()];
    const lane = [c, a, b].reduce((state, one) => rules.enlist(state, rules.ticketOf(one)), empty);
    expect(lane.waiting.map(({ id }) => id)).toEqual([a.id, b.id, c.id]);
  });
});

describe('a locked lane', () => {
  const locked = rules.lock(empty, lock);

  it('takes a rollback that overrides it, gives it the turn, and nothing else', () => {
    const waits = request();
    const back = request({ kind: 'rollback', override: true });
    expect(rules.judgeRequest(locked, request({ kind: 'rollback' }))).toEqual({ refuse: 'LOCKED', lock });
    expect(rules.judgeRequest(locked, request({ override: true }))).toEqual({ refuse: 'LOCKED', lock });
    expect(rules.judgeRequest(locked, back)).toEqual({ accept: 'new' });
    const lane = ready(ready(accept(accept(locked, waits), back), waits), back);
    const next = rules.nextTurn(lane);
    expect(next?.id).toBe(back.id);
    expect(
      rules.nextTurn(rules.end(rules.giveTurn(lane, next!), { id: back.id, outcome: 'x' })),
    ).toBeUndefined();
  });

  it('learns the override of a recovered place from the deployment itself', () => {
    const back = request({ kind: 'rollback', override: true });
    const { override: _override, ...recovered } = rules.ticketOf(back);
    const lane = rules.enlist(locked, { ...recovered, ready: true });
    expect(rules.nextTurn(lane)).toBeUndefined();
    expect(rules.nextTurn(ready(lane, back))?.id).toBe(back.id);
  });
});

describe('bad releases', () => {
  const digests = { 'openverse-api': 'sha256:1' };
  const known = { ...rules.markBad(empty, mark), live: live({ release: 'r9', digests }) };
  const bad = { refuse: 'RELEASE_BAD', mark };

  it('are marked once: the first mark stands', () => {
    expect(rules.markBad(known, { ...mark, reason: 'again' })).toBe(known);
    expect(rules.markBad(known, { ...mark, release: 'other' }).bad).toHaveLength(2);
  });

  it('are refused by release, by tag and by digests, unless overridden', () => {
    expect(rules.judgeRequest(known, request({ tag: 'r9' }))).toEqual(bad);
    expect(rules.judgeRequest(known, request({ tag: 'rel-2026.01.01.00.00.00' }))).toEqual(bad);
    expect(rules.judgeRequest(known, request({ tag: 'api-2026.01.01.00.00.00' }))).toEqual(bad);
    expect(rules.judgeRequest(known, request({ tag: 'any', digests }))).toEqual(bad);
    expect(rules.judgeRequest(known, request({ tag: 'r9', override: true }))).toEqual({ accept: 'new' });
    expect(rules.judgeRequest(known, request({ kind: 'rollback', tag: 'r9' }))).toEqual(bad);
  });

  it('are not guessed from a tag that may have been moved, or from digests of which nothing is known', () => {
    const moved = rules.markBad(empty, { ...mark, tag: 'latest' });
    expect(rules.judgeRequest(moved, request({ tag: 'latest' }))).toEqual({ accept: 'new' });
    const others = { tag: 'r9', digests: { 'openverse-api': 'sha256:2' } };
    expect(rules.judgeRequest(known, request(others))).toEqual({ accept: 'new' });
    expect(rules.judgeRequest(known, request({ tag: 'x', digests: {} }))).toEqual({ accept: 'new' });
  });

  it('are in the view, and survive being handed over; a state from before there were any loads', () => {
    expect(rules.viewOf(known).bad).toEqual([mark]);
    expect(rules.load(JSON.parse(JSON.stringify(known)) as LaneState)).toEqual(known);
    const { bad: _bad, ...old } = empty;
    expect(rules.load(old)).toEqual(empty);
  });

  it('that were marked while the lane recovered are kept beside those it found', () => {
    const found = { verified: [], waiting: [], bad: [mark] };
    const other = { ...mark, release: 'r10' };
    const lane = rules.recover(
      rules.markBad(rules.markBad(empty, other), { ...mark, reason: 'later' }),
      found,
    );
    expect(lane.bad).toEqual([mark, other]);
  });
});

describe('a rollback of production', () => {
  it('replaces what waits, other rollbacks excepted', () => {
    const [a, b, back] = [request(), request(), request({ kind: 'rollback' })];
    const lane = [a, b, back].reduce(accept, empty);
    const { lane: after, superseded } = rules.supersede(lane);
    expect(superseded.map(({ id }) => id)).toEqual([a.id, b.id]);
    expect(rules.idsHere(after)).toEqual([back.id]);
    expect(rules.supersede(after).lane).toBe(after);
  });

  it('is the same request only with the same now', () => {
    const back = request({ kind: 'rollback' });
    const lane = accept(empty, back);
    expect(rules.judgeRequest(lane, { ...back, now: true })).toEqual({ refuse: 'KEY_REUSED' });
    expect(rules.judgeRequest(lane, { ...back, current: true })).toEqual({ refuse: 'KEY_REUSED' });
  });
});

describe('what is live', () => {
  it('counts only a verified success as verified, newest first, each release once', () => {
    const ends = [
      live({ release: 'r1' }),
      live({ release: 'r2', verified: false }),
      live({ release: 'r3' }),
      live({ release: 'r1' }),
    ];
    const lane = ends.reduce(
      (state, one) => rules.end(state, { id: 'x', outcome: 'succeeded', live: one }),
      empty,
    );
    expect(lane.live?.release).toBe('r1');
    expect(lane.verified.map(({ release }) => release)).toEqual(['r1', 'r3']);
  });

  it('keeps the last 50 verified releases', () => {
    let lane = empty;
    for (let i = 0; i < 60; i += 1) {
      lane = rules.end(lane, { id: 'x', outcome: 'succeeded', live: live({ release: `r${i}` }) });
    }
    expect(lane.verified).toHaveLength(50);
    expect(lane.verified[0]?.release).toBe('r59');
  });

  it('stays as it was when a deployment fails', () => {
    const lane = rules.end({ ...empty, live: live() }, { id: 'x', outcome: 'failed' });
    expect(lane.live).toEqual(live());
  });
});

describe('recovery', () => {
  it('takes lock, live release and places from what it found, and keeps what came meanwhile', () => {
    const [running, waiting, fresh] = [request(), request(), request()];
    const found = {
      lock,
      live: live(),
      verified: [live()],
      bad: [mark],
      running: rules.ticketOf(running),
      waiting: [rules.ticketOf(waiting)],
    };
    const lane = rules.recover(accept(accept(empty, running), fresh), found);
    expect(lane.lock).toEqual(lock);
    expect(lane.bad).toEqual([mark]);
    expect(lane.running?.id).toBe(running.id);
    expect(lane.waiting.map(({ id }) => id)).toEqual([waiting.id, fresh.id]);
  });

  it('enlists a ready one that the lane lost', () => {
    const lost = request();
    expect(rules.nextTurn(ready(empty, lost))?.id).toBe(lost.id);
  });
});

/** Any order of what can reach a lane. */
const command = fc.oneof(
  fc.record({
    do: fc.constant('accept' as const),
    rollback: fc.boolean(),
    override: fc.boolean(),
    supersedes: fc.boolean(),
    tag: fc.constantFrom('r1', 'r2', 'r3'),
  }),
  fc.record({ do: fc.constant('bad' as const), release: fc.constantFrom('r1', 'r2', 'r3') }),
  fc.record({ do: fc.constantFrom('ready' as const, 'end' as const), of: fc.nat(20) }),
  fc.record({ do: fc.constantFrom('lock' as const, 'unlock' as const, 'turn' as const) }),
);

describe('any history of a lane', () => {
  it('has at most one running, loses none, and survives being written as JSON', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        let lane = empty;
        const alive = new Map<string, DeploymentRequest>();
        for (const one of commands) {
          const requests = [...alive.values()];
          if (one.do === 'accept') {
            const { tag, override } = one;
            const made = request({ kind: one.rollback ? 'rollback' : 'deploy', tag, override });
            const judged = rules.judgeRequest(lane, made);
            const bad = lane.bad.some(({ release }) => release === tag);
            const held = lane.lock !== undefined && !(one.rollback && override);
            expect('accept' in judged).toBe(!held && !(bad && !override));
            if ('accept' in judged) {
              alive.set(made.id, made);
              lane = accept(lane, made);
              if (one.rollback && one.supersedes) {
                const { lane: after, superseded } = rules.supersede(lane);
                expect(superseded.every(({ kind }) => kind !== 'rollback')).toBe(true);
                for (const { id } of superseded) alive.delete(id);
                lane = after;
              }
            }
          } else if (one.do === 'bad') {
            const before = lane.bad;
            lane = rules.markBad(lane, { ...mark, release: one.release });
            // Never removed, and each release once.
            expect(lane.bad.slice(0, before.length)).toEqual(before);
            expect(new Set(lane.bad.map(({ release }) => release)).size).toBe(lane.bad.length);
          } else if (one.do === 'lock') lane = rules.lock(lane, lock);
          else if (one.do === 'unlock') lane = rules.unlock(lane);
          else if (one.do === 'turn') {
            const next = rules.nextTurn(lane);
            if (next) {
              expect(lane.running).toBeUndefined();
              if (lane.lock) expect(next).toMatchObject({ kind: 'rollback', override: true });
              lane = rules.giveTurn(lane, next);
            }
          } else if ('of' in one) {
            const chosen = requests[one.of % Math.max(requests.length, 1)];
            if (!chosen) continue;
            if (one.do === 'ready') lane = ready(lane, chosen);
            else {
              lane = rules.end(lane, { id: chosen.id, outcome: 'succeeded' });
              alive.delete(chosen.id);
            }
          }
          expect(rules.idsHere(lane).sort()).toEqual([...alive.keys()].sort());
          expect(JSON.parse(JSON.stringify(lane))).toEqual(lane);
        }
      }),
    );
  });

  it('ends with everybody served once it is unlocked and all are ready', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 20 }), (rollbacks) => {
        const requests = rollbacks.map((rollback) => request({ kind: rollback ? 'rollback' : 'deploy' }));
        let lane = requests.reduce((state, one) => ready(accept(state, one), one), empty);
        const served: string[] = [];
        for (let next = rules.nextTurn(lane); next; next = rules.nextTurn(lane)) {
          served.push(next.id);
          lane = rules.end(rules.giveTurn(lane, next), { id: next.id, outcome: 'succeeded' });
        }
        const order = [
          ...requests.filter(({ kind }) => kind === 'rollback'),
          ...requests.filter(({ kind }) => kind !== 'rollback'),
        ];
        expect(served).toEqual(order.map(({ id }) => id));
      }),
    );
  });
});
