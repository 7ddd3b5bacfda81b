/** Releases and rollbacks at a site: what people ask, and what is counted at GitHub and in the registry. */
import { BatchGetImageCommand, ECRClient } from '@aws-sdk/client-ecr';
import { laneWorkflowId } from '../../domain/ids.js';
import type { BadMark, LaneView } from '../../domain/messages.js';
import { MEMO } from '../../domain/messages.js';
import type { Release, ReleaseStepName } from '../../domain/release/release.js';
import { AWS_KEYS, ORG, REPOSITORY, SERVICES } from '../../sandbox/settings.js';
import type { Answer, Asked, Lane, Site } from './site.js';
import { newTag, until } from './site.js';

export type App = Lane['app'] | 'ingestion_server';

/** The app's image set; the first is the one whose labels say how it behaves. */
export const REPOSITORIES: Record<App, string[]> = {
  api: Object.values(SERVICES.api.containers),
  frontend: Object.values(SERVICES.frontend.containers),
  ingestion_server: ['openverse-ingestion_server'],
};

/** How often each was really made. */
export interface Made {
  tag: number;
  release: number;
  branch: number;
  file: number;
  pull: number;
}

export const ONE_OF_EACH: Made = { tag: 1, release: 1, branch: 1, file: 1, pull: 1 };

export interface Releases {
  /** An image set of its own, of a commit of its own. @returns its tag */
  image(app: App, options?: { labels?: Record<string, string> }): Promise<{ tag: string; commit: string }>;
  ask(app: App, tag: string, asked?: Asked & { more?: object }): Promise<Answer>;
  /** @returns the id. @throws unless it was accepted */
  release(app: App, tag: string, asked?: Asked): Promise<string>;
  read(id: string): Promise<Release>;
  becomes(id: string, what: string, wanted: (release: Release) => boolean): Promise<Release>;
  /** The release as it ended; of one that succeeded, once its changelog is there. */
  ended(id: string): Promise<Release>;
  rollBack(lane: Lane, what: { tag: string; now?: boolean }): Promise<string>;
  /** Where the tag stands, by repository; absent: nowhere. */
  digests(app: App, tag: string): Promise<Record<string, string>>;
  made(release: Release): Made;
  /** The next answer of GitHub to a request that changes something; resolves once it is held. */
  hold(method: 'POST' | 'PUT', path: string): Promise<unknown>;
  marks(lane: Lane): Promise<BadMark[]>;
  close(): void;
}

export const stepOf = ({ steps }: Release): ReleaseStepName | undefined =>
  steps.find(({ state }) => state === 'running')?.name;

export function releasesAt(site: Site): Releases {
  const { aws, github, client, sample } = site;
  const credentials = { accessKeyId: AWS_KEYS.id, secretAccessKey: AWS_KEYS.secret };
  const ecr = new ECRClient({ endpoint: aws.url, region: 'us-east-1', credentials });

  const ask: Releases['ask'] = (app, tag, { more, ...asked } = {}) =>
    site.ask('POST', '/api/releases', { ...asked, body: { app, tag, ...more } });
  const read: Releases['read'] = async (id) => {
    const { status, body, text } = await site.ask('GET', `/api/releases/${id}`);
    if (status !== 200) throw new Error(`${id} could not be read: ${status} ${text}`);
    return body as Release;
  };
  const becomes: Releases['becomes'] = async (id, what, wanted) => {
    let last: Release | undefined;
    const look = async (): Promise<Release | false> => (wanted((last = await read(id))) ? last : false);
    return until(`${id} is ${what}`, look).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${JSON.stringify(last)}`);
    });
  };
  const digestAt = async (repositoryName: string, imageTag: string): Promise<string | undefined> => {
    const { images } = await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag }] }));
    return images?.[0]?.imageId?.imageDigest;
  };

  return {
    image: async (app, { labels = {} } = {}) => {
      const commit = await sample.commit({ app });
      const tag = newTag();
      const [first = '', ...others] = REPOSITORIES[app];
      aws.image({ repository: first, tag, release: commit, labels });
      for (const repository of others) aws.image({ repository, tag, release: commit });
      return { tag, commit };
    },
    ask,
    release: async (app, tag, asked) => {
      const answer = await ask(app, tag, asked);
      if (answer.status !== 202) throw new Error(`Not accepted: ${answer.status} ${answer.text}`);
      return answer.body.id as string;
    },
    read,
    becomes,
    ended: (id) =>
      becomes(
        id,
        'ended',
        ({ outcome, pullRequest }) => outcome !== undefined && (outcome !== 'succeeded' || !!pullRequest),
      ),
    rollBack: async ({ app, environment }, what) => {
      const body = { app, environment, reason: 'search is slow', ...what };
      const answer = await site.ask('POST', '/api/rollbacks', { body });
      if (answer.status !== 202) throw new Error(`Not accepted: ${answer.status} ${answer.text}`);
      return answer.body.id as string;
    },
    digests: async (app, tag) => {
      const found = REPOSITORIES[app].map(async (name) => [name, await digestAt(name, tag)] as const);
      return Object.fromEntries(
        (await Promise.all(found)).flatMap(([name, digest]) => (digest ? [[name, digest]] : [])),
      );
    },
    made: ({ app, gitTag, date }) => {
      const count = (kind: Parameters<typeof github.effects>[0], which: (what: string) => boolean): number =>
        github.effects(kind).filter(({ what, detail = '' }) => which(kind === 'pull' ? detail : what)).length;
      const branch = `changelog/${gitTag}`;
      return {
        tag: count('tag', (what) => what === gitTag),
        release: count('release', (what) => what === gitTag),
        branch: count('branch', (what) => what === branch),
        file: count('commit', (what) => what.endsWith(`/${app}/${date}.md`)),
        pull: count('pull', (head) => head.endsWith(branch)),
      };
    },
    hold: (method, path) => {
      const full = `/repos/${ORG}/${REPOSITORY}/${path}`;
      const asked = (): number =>
        github.requests().filter((one) => one.method === method && one.path.startsWith(full)).length;
      const before = asked();
      github.fault({ kind: 'hold-after', method, path: full, times: 1 });
      return until(`${method} ${path} is held`, () => asked() > before);
    },
    marks: async ({ app, environment }) => {
      const { memo } = await client.workflow.getHandle(laneWorkflowId({ app, environment })).describe();
      return (memo?.[MEMO.lane] as LaneView | undefined)?.bad ?? [];
    },
    close: () => ecr.destroy(),
  };
}
