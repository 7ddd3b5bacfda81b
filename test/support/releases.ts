/** Speaks to `releases` and its releases as the API does; activities of a release that answer from a script. */
import { heartbeat, sleep } from '@temporalio/activity';
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { Worker } from '@temporalio/worker';
import { createLaneRecovery } from '../../activities/temporal/lane-recovery.js';
import { createMessenger } from '../../activities/temporal/messenger.js';
import { createReleasesRecovery } from '../../activities/temporal/releases-recovery.js';
import { createReleaseMessages } from '../../activities/temporal/releases.js';
import { createLaneReader, createRequests } from '../../activities/temporal/requests.js';
import { releasesWorkflowId, releaseWorkflowId } from '../../domain/ids.js';
import type { ReleaseAccepted, ReleasesView } from '../../domain/messages.js';
import { MEMO, QUEUE, SIGNAL, UPDATE, WORKFLOW } from '../../domain/messages.js';
import type {
  ChangelogInput,
  ImagesTagged,
  Published,
  PublishInput,
  TagImagesInput,
} from '../../domain/release/effects.js';
import type { Release, ReleaseRequest } from '../../domain/release/release.js';
import type { ReleasesInput } from '../../workflows/releases.js';
import type { Calls } from './scripted.js';
import { script } from './scripted.js';
import type { TestTemporal } from './temporal.js';

let count = 0;

/** Of a tag of its own, unless one is given. */
export function releaseRequest(change: Partial<ReleaseRequest> = {}): ReleaseRequest {
  count += 1;
  return {
    app: 'api',
    tag: `tag-${count}`,
    actor: 'alice',
    unique: `key${count.toString().padStart(6, '0')}`,
    requestedAt: new Date().toISOString(),
    releaseOnly: false,
    limits: { tellAfterMs: 900_000, giveUpAfterMs: 3_600_000, verifyMs: 120_000 },
    ...change,
  };
}

export const digestOf = (tag: string): string =>
  `sha256:${Buffer.from(tag).toString('hex').padEnd(64, '0').slice(0, 64)}`;
export const commitOf = (tag: string): string =>
  Buffer.from(tag).toString('hex').padEnd(40, '0').slice(0, 40);

/** The defaults are a release that succeeds: each tag names images, and a commit, of its own. */
export function releaseScript() {
  return {
    ...script(),
    validate: async ({ tag, digests }: { tag: string; digests?: Record<string, string> }) => {
      const digest = digests?.['openverse-api'] ?? digestOf(tag);
      const images = [{ containers: ['django'], repository: 'openverse-api', tag, digest, listed: [] }];
      return {
        images,
        release: commitOf(Buffer.from(digest.slice(7), 'hex').toString().replaceAll('\0', '')),
        warnings: [],
      };
    },
    tagImages: async (_input: TagImagesInput): Promise<ImagesTagged> => ({ put: ['openverse-api'] }),
    publishRelease: async ({ gitTag }: PublishInput): Promise<Published> => ({
      url: `https://github.test/releases/${gitTag}`,
      notes: '- a change',
    }),
    openChangelog: async ({ gitTag }: ChangelogInput): Promise<{ url: string }> => ({
      url: `https://github.test/pull/${gitTag}`,
    }),
  };
}

export type ReleaseScript = ReturnType<typeof releaseScript>;

/** Workers for all queues. The script may be changed while they run; messages between workflows are the real ones. */
export async function releaseWorkers(
  { createWorker, client }: TestTemporal,
  acts: ReleaseScript,
  calls: Calls,
): Promise<{ stop(): Promise<void> }> {
  const names = Object.keys(acts) as (keyof ReleaseScript)[];
  const scripted = Object.fromEntries(
    names.map((name) => [
      name,
      async (input: never): Promise<unknown> => {
        calls.push({ name, input });
        return acts[name](input);
      },
    ]),
  );
  const real = {
    ...createMessenger(client),
    ...createLaneRecovery(client),
    ...createRequests(client),
    ...createReleaseMessages({ client, readLane: createLaneReader(client) }),
    ...createReleasesRecovery(client),
  };
  const workers = await Promise.all([
    createWorker({ taskQueue: QUEUE.main, activities: { ...real, ...scripted } }),
    createWorker({ taskQueue: QUEUE.watches, workflows: false, activities: scripted }),
  ]);
  const running = workers.map((worker: Worker) => worker.run());
  return {
    async stop() {
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
    },
  };
}

export function createReleases({ client }: TestTemporal, tuning?: ReleasesInput['tuning']) {
  const entity = (app: string) => client.workflow.getHandle(releasesWorkflowId(app));
  const handle = (id: string) => client.workflow.getHandle(releaseWorkflowId(id));
  const read = async (id: string): Promise<Release> =>
    (await handle(id).describe()).memo?.[MEMO.release] as Release;
  return {
    entity,
    handle,
    read,
    request: (request: ReleaseRequest): Promise<ReleaseAccepted> =>
      client.workflow.executeUpdateWithStart(UPDATE.release, {
        args: [request],
        startWorkflowOperation: new WithStartWorkflowOperation(WORKFLOW.releases, {
          workflowId: releasesWorkflowId(request.app),
          taskQueue: QUEUE.main,
          args: [{ app: request.app, ...(tuning ? { tuning } : {}) }],
          workflowIdConflictPolicy: 'USE_EXISTING',
        }),
      }),
    result: (id: string): Promise<Release> => handle(id).result() as Promise<Release>,
    view: async (app: string): Promise<ReleasesView> =>
      (await entity(app).describe()).memo?.[MEMO.releases] as ReleasesView,
    retry: (id: string, more: { actor?: string; override?: boolean } = {}): Promise<void> =>
      handle(id).signal(SIGNAL.retry, { actor: 'bob', ...more }),
    abandon: (id: string): Promise<void> =>
      handle(id).signal(SIGNAL.abandon, { actor: 'carol', reason: 'not worth it' }),
    /** Asks its record until it is as wanted, for 10 s at most. */
    async until(id: string, wanted: (release: Release) => boolean): Promise<Release> {
      for (const end = Date.now() + 10_000; ;) {
        const release = await read(id);
        if (wanted(release)) return release;
        if (Date.now() > end) throw new Error(`${id} did not get there: ${JSON.stringify(release)}`);
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    },
  };
}

/** Holds an activity until it is opened. */
export function gate() {
  let opened = false;
  return {
    open: (): void => void (opened = true),
    async hold(): Promise<void> {
      while (!opened) {
        heartbeat();
        await sleep(20);
      }
    },
  };
}
