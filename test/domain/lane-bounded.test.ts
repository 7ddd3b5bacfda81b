import { describe, expect, it } from 'vitest';
import type { LaneState } from '../../domain/lane.js';
import * as rules from '../../domain/lane.js';
import { request } from '../support/requests.js';

const KEPT_MS = 24 * 3_600_000;

/** One deployment after the other, from its acceptance to its end. */
function serve(lane: LaneState, at: number): { lane: LaneState; id: string } {
  const made = request({ queuedAt: new Date(at).toISOString() });
  const { id } = made;
  let next = rules.remember(rules.enlist(lane, rules.ticketOf(made)), made);
  next = rules.markReady(next, rules.ticketOf(made));
  const turn = rules.nextTurn(next);
  expect(turn?.id).toBe(id);
  next = rules.giveTurn(next, turn!);
  const release = id.padEnd(40, '0').slice(0, 40);
  const digests = {
    'openverse-api': `sha256:${'d'.repeat(64)}`,
    'openverse-api_nginx': `sha256:${'e'.repeat(64)}`,
  };
  const revision = 'arn:aws:ecs:us-east-1:000000000000:task-definition/staging-api:1';
  const live = {
    id,
    release,
    tag: release,
    digests,
    revision,
    verified: true,
    at: made.queuedAt,
    by: 'alice',
  };
  return { lane: rules.end(next, { id, outcome: 'succeeded', live }), id };
}

describe('10,000 deployments', () => {
  // One in five minutes: 35 days.
  const every = 300_000;
  const start = Date.parse('2026-01-01T00:00:00.000Z');
  const ids: string[] = [];
  const sizes: number[] = [];
  let lane = rules.emptyLane({ app: 'api', environment: 'staging' });
  for (let count = 0; count < 10_000; count += 1) {
    const served = serve(lane, start + count * every);
    lane = served.lane;
    ids.push(served.id);
    if (count % 500 === 499) sizes.push(JSON.stringify(lane).length);
  }

  it('leave a lane’s state as large as a day of them', () => {
    const [, ...later] = sizes;
    expect(Math.max(...later)).toBeLessThan(256 * 1024);
    expect(Math.max(...later) - Math.min(...later)).toBeLessThan(1_024);
    expect(rules.idsHere(lane)).toEqual([]);
    expect(JSON.stringify(rules.viewOf(lane)).length).toBeLessThan(64 * 1024);
  });

  it('and every key of the last 24 hours known', () => {
    const day = ids.slice(-KEPT_MS / every);
    expect(day).toHaveLength(288);
    expect(day.filter((id) => !rules.wasSeen(lane, id))).toEqual([]);
    expect(rules.wasSeen(lane, ids[0]!)).toBe(false);
  });
});
