/** The shapes that a rollout is judged by: a reduced DescribeServices, and what is kept between reads. */
import type { Rollout } from '../deployment.js';
import type { Cursor, EventRead } from '../events.js';

export interface DeploymentRead {
  /** `ecs-svc/…` */
  id: string;
  status: string;
  /** Task definition ARN. */
  revision: string;
  desired: number;
  running: number;
  pending: number;
  failed: number;
  /** ISO 8601. */
  createdAt?: string;
  /** Absent where ECS tells none. */
  rolloutState?: string;
  reason?: string;
}

export interface ServiceDeploymentRead {
  arn: string;
  status: string;
  reason?: string;
}

/** One service as one call told it. */
export interface ServiceRead {
  /** Epoch milliseconds before the call was sent. */
  begunAt: number;
  /** `ACTIVE`, `DRAINING`, `INACTIVE`, or `MISSING`. */
  status: string;
  desired: number;
  deployments: DeploymentRead[];
  /** Newest first, as ECS gives them. */
  events: EventRead[];
  /** ECS is configured to roll back (circuit breaker or alarms). */
  rollback: boolean;
  /** ARN of `currentServiceDeployment`, where the service has one. */
  serviceDeployment?: string;
  /** More evidence, where it was asked for and given. */
  serviceDeployments?: ServiceDeploymentRead[];
}

/** Whose rollout is watched. Times are epoch milliseconds. */
export interface Ours {
  revision: string;
  /** Id at ECS, where the update's answer told it. */
  deployment?: string;
  wayBack?: string;
  /** Reads begun before are void. */
  since: number;
  giveUpAt: number;
}

/** Kept between reads, and in heartbeats: plain JSON, bounded. */
export interface Memory {
  /** Ours stood among the service's deployments. */
  seen: boolean;
  /** Consecutive reads that looked settled without a state that says so. */
  quiet: number;
  /** Consecutive reads with another PRIMARY and nothing that tells of a rollback. */
  replaced: number;
  deployment?: string;
  serviceDeployment?: string;
  /** When ECS made ours, by ECS's clock: its events start there. */
  startedAt?: string;
  /** Ours was FAILED in some read. */
  failed?: boolean;
  /** Since when ours is FAILED and still PRIMARY. */
  failedSince?: number;
  /** How it is known that ECS rolls ours back. It stays known when what told it is gone. */
  rollback?: string;
  cursor?: Cursor;
  lastReadAt?: number;
  /** When a read last differed from the one before. */
  changedAt?: number;
  picture?: string;
}

/** The heartbeat details of the watch. */
export interface Watch {
  rollout: Rollout;
  memory: Memory;
}
