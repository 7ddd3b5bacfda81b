/** Builds: one workflow for an app's commit, whoever asks, however often. */
import { buildEntity, signalEntity } from '../../clients/entities.js';
import type { Temporal } from '../../clients/temporal.js';
import type { Build } from '../../domain/build.js';
import { overlayBuild } from '../../domain/build.js';
import { buildWorkflowId } from '../../domain/ids.js';
import type { BuildView, BuildWanted } from '../../domain/messages.js';
import { MEMO, SIGNAL } from '../../domain/messages.js';
import { ApiError } from '../errors.js';
import { read } from './call.js';
import { pendingOf, workflowTaskSince } from '../../clients/pending.js';
import { describe } from './reads.js';
import { buildsSince } from './recent.js';

export interface Commit {
  app: string;
  /** 40 hex. */
  commit: string;
}

/** It is durable with this; images that are there already are kept. */
export const requestBuild = async (
  t: Temporal,
  { app, commit }: Commit,
  wanted: BuildWanted,
): Promise<void> =>
  void (await read(t, () =>
    signalEntity(t.client, buildEntity({ app, commit }), { signal: SIGNAL.wanted, input: wanted }),
  ));

/** Keys are known again for as long. */
const KEPT_MS = 25 * 3_600_000;

/**
 * Whether this very request was accepted before. The list lags by a moment, the build itself does not.
 * @throws ApiError `KEY_REUSED` where another one was, under the same key
 */
export async function wasBuildAsked(t: Temporal, { app, commit }: Commit, key: string): Promise<boolean> {
  const own = (await describe(t, buildWorkflowId(app, commit)))?.memo?.[MEMO.build] as BuildView | undefined;
  if (isWanted(own, key)) return true;
  const recent = await buildsSince(t, new Date(Date.now() - KEPT_MS));
  const before = recent.find((view) => isWanted(view, key));
  if (!before) return false;
  if (before.app === app && before.commit === commit) return true;
  throw new ApiError('KEY_REUSED', 'This Idempotency-Key came with another request before');
}

const isWanted = (view: BuildView | undefined, key: string): boolean =>
  view?.wanted?.some((one) => one.key === key) ?? false;

/** @returns undefined where Temporal does not hold it */
export async function readBuild(t: Temporal, { app, commit }: Commit): Promise<Build | undefined> {
  const description = await describe(t, buildWorkflowId(app, commit));
  if (!description) return undefined;
  const { raw, memo, status } = description;
  // Accepted, and no worker has begun with it.
  const view: BuildView = { id: `${app}.${commit}`, app, commit, state: 'running' };
  const since = workflowTaskSince(raw);
  return overlayBuild({
    view: (memo?.[MEMO.build] as BuildView | undefined) ?? view,
    pending: pendingOf(raw),
    status: status.name,
    ...(since ? { workflowTaskSince: since } : {}),
    now: new Date(),
  });
}
