/** What the API sends, as design §8 has it: `domain/`'s shapes and what only the API adds. */
import type { Warning } from '../../domain/deployment.js';
import type { Lock, Ticket } from '../../domain/messages.js';
import type { Release } from '../../domain/release/release.js';
import type { DeploymentView } from '../../domain/view.js';

export interface Links {
  version?: string;
  app?: string;
  logs?: string;
  runbook?: string;
  ecs?: string;
  temporal?: string;
}

/** One app in one environment: an item of `GET /api/apps`. */
export interface Place {
  app: string;
  environment: string;
  /** As the version endpoint says; absent: unknown. */
  release?: string;
  tag?: string;
  /** ARN. */
  revision?: string;
  /** Tasks; absent where AWS could not be read. */
  desired?: number;
  running?: number;
  pending?: number;
  /** Since when what runs runs, and who deployed it; absent where Sluice did not deploy it. */
  since?: string;
  by?: string;
  lane: { lock?: Lock; running?: Ticket; waiting: Ticket[]; waitingCount: number };
  warnings: Warning[];
  links: Links;
}

export type ShownDeployment = DeploymentView & {
  links: Links & {
    /** The commit. */
    github?: string;
  };
};

export type ShownRelease = Release & {
  links: Links & { release?: string; pullRequest?: string };
};

/** `GET /api/me` */
export interface Me {
  login: string;
  maintainer: boolean;
  /** Sent back as `x-csrf-token` on writes. */
  csrf?: string;
}

/** `GET /api/settings`: what does not change while the API runs. */
export interface Settings {
  /** Sluice's own. */
  release: string;
  /** HTML address of the repository, without a slash at its end; absent: commits are not linked. */
  repositoryUrl?: string;
  apps: { app: string; environments: string[]; releaseOnly: boolean; promotion: boolean }[];
}

/** What a rollback can choose: an item of `GET /api/targets/{environment}/{app}`. */
export interface RollbackTarget {
  tag: string;
  release?: string;
  verified: boolean;
  at?: string;
  by?: string;
  live?: boolean;
  bad?: { reason: string; by: string; at: string };
}

export const PRODUCTION = 'production';
export const STAGING = 'staging';
