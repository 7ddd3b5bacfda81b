/** What `releases` asks of Temporal: who of its releases still holds a place, and what its last run left behind. */
import type { Client } from '@temporalio/client';
import { releasesWorkflowId, releaseWorkflowId } from '../../domain/ids.js';
import type { ReleasePlace, ReleaseStateChange, ReleasesView } from '../../domain/messages.js';
import { MEMO, SEARCH_ATTRIBUTE, WORKFLOW } from '../../domain/messages.js';
import { stateChange } from '../../domain/release/progress.js';
import type { Release } from '../../domain/release/release.js';
import { datesOf, digestKey, RELEASED_KEPT } from '../../domain/release/releases.js';
import type { RecoveredReleases } from '../../domain/release/releases.js';
import { describe } from './missing.js';

/** How one release stands, by strong reads. */
interface Standing {
  change: ReleaseStateChange;
  /** It runs, and waits for its turn. */
  waits: boolean;
}

export function createReleasesRecovery(client: Client) {
  const { workflow } = client;

  async function standing(id: string): Promise<Standing | undefined> {
    const found = await describe(client, releaseWorkflowId(id));
    const release = found?.memo?.[MEMO.release] as Release | undefined;
    return release && standingOf(release, found?.status.name !== 'RUNNING');
  }

  /** The memo of the newest closed run that got as far as to write one. */
  async function lastView(app: string): Promise<ReleasesView | undefined> {
    const query = `WorkflowId = '${releasesWorkflowId(app)}' AND ExecutionStatus != 'Running'`;
    for await (const run of workflow.list({ query, pageSize: 10 })) {
      const { memo } = await workflow.getHandle(run.workflowId, run.runId).describe();
      const view = memo?.[MEMO.releases];
      if (view) return view as ReleasesView;
    }
    return undefined;
  }

  /** Visibility lags: what it calls closed is closed, everything else is asked for again. */
  async function releasesOf(app: string): Promise<Map<string, Standing>> {
    const found = new Map<string, Standing>();
    const query = `WorkflowType = '${WORKFLOW.release}' AND ${SEARCH_ATTRIBUTE.app} = '${app}'`;
    for await (const run of workflow.list({ query, pageSize: 100 })) {
      const release = run.memo?.[MEMO.release] as Release | undefined;
      if (!release) continue;
      const closed = run.status.name !== 'RUNNING';
      const stands = closed ? standingOf(release, true) : await standing(release.id);
      if (stands) found.set(release.id, stands);
      if (found.size >= RELEASED_KEPT) break;
    }
    return found;
  }

  return {
    /** How those of these stand that hold no place any more: blocked, ended, or terminated. */
    async findEndedReleases({ ids }: { ids: string[] }): Promise<ReleaseStateChange[]> {
      const ended: ReleaseStateChange[] = [];
      for (const id of ids) {
        const stands = await standing(id);
        if (!stands) ended.push({ id, state: 'finished', round: 0, tags: [] });
        else if (stands.change.state !== 'ready') ended.push(stands.change);
      }
      return ended;
    },

    /**
     * Keys and names come from the last run's memo; places and what became of each release from Temporal itself.
     * The memo knows those that visibility does not show yet, visibility those that the memo does not show any more.
     */
    async recoverReleases({ app }: { app: string }): Promise<RecoveredReleases> {
      const view = await lastView(app);
      const known = await releasesOf(app);
      for (const id of idsOf(view)) {
        if (known.has(id)) continue;
        const stands = await standing(id);
        if (stands) known.set(id, stands);
      }
      const active = [...known.values()]
        .filter(({ change }) => change.state === 'ready')
        .sort((a, b) => (a.change.id < b.change.id ? -1 : 1));
      // One that was given the turn may not have heard of it yet.
      const given = ({ change: { id, round } }: Standing): boolean =>
        view?.running?.id === id && view.running.round === round;
      const running = active.find(({ waits }) => !waits) ?? active.find(given);
      const changes = [...known.values()].map(({ change }) => change);
      return {
        ...(running ? { running: placeOf(running) } : {}),
        waiting: active.filter((one) => one !== running).map(placeOf),
        released: [
          ...(view?.released ?? []).filter(({ id }) => !known.has(id)),
          ...changes
            .filter(({ tags }) => tags.length > 0)
            .map(({ id, tags, digests }) => ({
              id,
              tags,
              ...(digests ? { digests: digestKey(digests) } : {}),
            })),
        ],
        seen: [...(view?.seen ?? [])].reverse(),
        dates: [...(view?.last ? [view.last] : []), ...datesOf(app, [...known.keys()])],
      };
    },
  };
}

const standingOf = (release: Release, closed: boolean): Standing => ({
  change: stateChange(release, closed),
  waits: release.waitingFor !== undefined,
});

const placeOf = ({ change: { id, round } }: Standing): ReleasePlace => ({ id, round });

const idsOf = (view: ReleasesView | undefined): string[] =>
  [...(view?.running ? [view.running] : []), ...(view?.waiting ?? []), ...(view?.released ?? [])].map(
    ({ id }) => id,
  );
