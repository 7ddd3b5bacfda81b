/** Reads of a rollout for tests: recorded ones, and ones made up piece by piece. */
import { readFileSync } from 'node:fs';
import type { Service } from '@aws-sdk/client-ecs';
import { toServiceRead } from '../../activities/ecs/shapes.js';
import { judge, newWatch } from '../../domain/rollout/rollout.js';
import type { DeploymentRead, Judgement, Ours, ServiceRead } from '../../domain/rollout/rollout.js';

export const START = Date.parse('2026-11-23T10:00:00Z');
export const OURS = 'ecs-svc/2222';
export const OLD = 'ecs-svc/1111';
export const revision = (n: number): string => `arn:aws:ecs:us-east-1:1:task-definition/staging-api:${n}`;

export const iso = (seconds: number): string => new Date(START + seconds * 1000).toISOString();

/** `fixtures/{name}.json`: `[{ at, service }]` as DescribeServices answered. */
export function recorded(name: string): ServiceRead[] {
  const text = readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8');
  const reads = JSON.parse(text, (key, value: unknown) =>
    (key === 'createdAt' || key === 'updatedAt') && typeof value === 'string' ? new Date(value) : value,
  ) as { at: number; service: Service }[];
  return reads.map(({ at, service }) => toServiceRead(service, at));
}

/** A deployment of two tasks that runs. */
export const deployment = (change: Partial<DeploymentRead> = {}): DeploymentRead => ({
  id: OURS,
  status: 'PRIMARY',
  revision: revision(8),
  desired: 2,
  running: 2,
  pending: 0,
  failed: 0,
  createdAt: iso(0),
  rolloutState: 'IN_PROGRESS',
  ...change,
});

export const oldOne = (change: Partial<DeploymentRead> = {}): DeploymentRead =>
  deployment({
    id: OLD,
    status: 'ACTIVE',
    revision: revision(7),
    createdAt: iso(-9000),
    rolloutState: 'COMPLETED',
    ...change,
  });

/** @param seconds after the update's answer */
export const read = (
  seconds: number,
  deployments: DeploymentRead[],
  change: Partial<ServiceRead> = {},
): ServiceRead => ({
  begunAt: START + seconds * 1000,
  status: 'ACTIVE',
  desired: 2,
  deployments,
  events: [],
  rollback: true,
  ...change,
});

export const ours = (change: Partial<Ours> = {}): Ours => ({
  revision: revision(8),
  deployment: OURS,
  wayBack: revision(7),
  since: START,
  giveUpAt: START + 3_600_000,
  ...change,
});

/** Judges one read after the other, up to the first verdict. */
export function watchReads(reads: readonly ServiceRead[], whose: Ours): Judgement {
  let judgement: Judgement = { watch: newWatch() };
  for (const one of reads) {
    judgement = judge({ read: one, watch: judgement.watch, ours: whose });
    if (judgement.verdict) break;
  }
  return judgement;
}
