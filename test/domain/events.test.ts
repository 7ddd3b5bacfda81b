import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendEvents, ECS_KEEPS, MISSED, newEvents } from '../../domain/events.js';
import type { Cursor, EventRead } from '../../domain/events.js';

const START = Date.parse('2026-11-23T10:00:00Z');
const FROM = new Date(START).toISOString();
const event = (n: number, ms = n * 1000): EventRead => ({
  id: `id-${n}`,
  at: new Date(START + ms).toISOString(),
  message: `event ${n}`,
});
/** As ECS gives them: newest first, the latest hundred. */
const given = (events: EventRead[]): EventRead[] => events.toReversed().slice(0, ECS_KEEPS);

function play(reads: EventRead[][]): string[] {
  let cursor: Cursor | undefined;
  return reads.flatMap((read) => {
    const found = newEvents({ read, cursor, from: FROM });
    cursor = found.cursor;
    return found.fresh.map(({ message }) => message);
  });
}

describe('newEvents', () => {
  it('starts where the rollout started', () => {
    expect(play([given([event(-2), event(-1), event(0), event(1)])])).toEqual(['event 0', 'event 1']);
  });

  it('shows each once, oldest first, over several reads', () => {
    const all = [event(1), event(2), event(3), event(4)];
    expect(play([given(all.slice(0, 2)), given(all.slice(0, 2)), given(all)])).toEqual([
      'event 1',
      'event 2',
      'event 3',
      'event 4',
    ]);
  });

  it('shows those of the same time, also where some come later', () => {
    const [a, b, c] = [event(1, 5000), event(2, 5000), event(3, 5000)];
    expect(play([given([a, b]), given([a, b, c])])).toEqual(['event 1', 'event 2', 'event 3']);
  });

  it('shows one that comes twice in a read once', () => {
    expect(play([given([event(1), event(1), event(2)])])).toEqual(['event 1', 'event 2']);
  });

  it('shows one that comes late once', () => {
    expect(
      play([
        given([event(1, 1000), event(3, 3000)]),
        given([event(1, 1000), event(2, 2000), event(3, 3000)]),
      ]),
    ).toEqual(['event 1', 'event 3', 'event 2']);
  });

  it('says where ECS has dropped some between two reads', () => {
    const many = Array.from({ length: 250 }, (_, n) => event(n + 1, (n + 1) * 100));
    const shown = play([given(many.slice(0, 20)), given(many)]);
    expect(shown.slice(0, 20)).toEqual(many.slice(0, 20).map(({ message }) => message));
    expect(shown[20]).toBe(MISSED);
    expect(shown.slice(21)).toEqual(many.slice(150).map(({ message }) => message));
  });

  it('says it on the first read too, and not where exactly a hundred are new', () => {
    const many = Array.from({ length: 101 }, (_, n) => event(n + 1));
    expect(play([given(many)])[0]).toBe(MISSED);
    expect(play([given([event(0, -1000), ...many.slice(0, 99)])])[0]).toBe('event 1');
    expect(play([given(many.slice(0, 1)), given(many)]).filter((message) => message === MISSED)).toEqual([
      MISSED,
    ]);
    expect(play([given(many.slice(0, 2)), given(many)])).not.toContain(MISSED);
  });

  it('needs no id', () => {
    const { id: _id, ...without } = event(1);
    expect(play([[without], [without]])).toEqual(['event 1']);
  });

  it('shows every event once, whichever reads there are', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 4000 }), { maxLength: 60 });
    fc.assert(
      fc.property(gaps, fc.array(fc.nat(60), { maxLength: 12 }), (steps, cuts) => {
        let ms = 0;
        const all = steps.map((step, n) => event(n, (ms += step)));
        const reads = [...cuts].sort((a, b) => a - b).map((cut) => given(all.slice(0, cut)));
        const shown = play([...reads, given(all), given(all)]);
        expect(shown).toEqual(all.map(({ message }) => message));
      }),
    );
  });
});

describe('appendEvents', () => {
  it('keeps the last fifty', () => {
    const shown = Array.from({ length: 49 }, (_, n) => ({ at: FROM, message: `${n}` }));
    const appended = appendEvents(shown, [
      { at: FROM, message: 'a' },
      { at: FROM, message: 'b' },
    ]);
    expect(appended).toHaveLength(50);
    expect(appended.at(0)?.message).toBe('1');
    expect(appended.at(-1)?.message).toBe('b');
  });

  it('says where some of the new ones find no room', () => {
    const fresh = Array.from({ length: 60 }, (_, n) => ({ at: FROM, message: `${n}` }));
    const appended = appendEvents([{ at: FROM, message: 'shown' }], fresh);
    expect(appended).toHaveLength(50);
    expect(appended.map(({ message }) => message)).toEqual([
      MISSED,
      ...fresh.slice(-49).map(({ message }) => message),
    ]);
  });
});
