/** Releases that the image registry still holds: what a rollback can go back to beyond a lane's memory. */
import type { ECRClient } from '@aws-sdk/client-ecr';
import { DescribeImagesCommand } from '@aws-sdk/client-ecr';
import type { Config } from '../domain/config/config.js';
import type { Warning } from '../domain/deployment.js';
import { cached } from './cache.js';

export interface TaggedRelease {
  /** `rel-{date}` */
  tag: string;
  /** 40-hex tag on the same digest. */
  release?: string;
}

/** Newest first; what cannot be read is a warning, never an error. */
export type ReleaseTags = (app: string) => Promise<{ items: TaggedRelease[]; warnings: Warning[] }>;

const KEPT_MS = 30_000;
const WITHIN_MS = 5_000;
const SHOWN = 30;
/** ECR lists in no order: all pages have to be read, but not for ever. */
const PAGES = 20;
const PAGE = 1_000;

export const createReleaseTags = (of: { config: Config; ecr: ECRClient }): ReleaseTags =>
  cached(KEPT_MS, async (app) => {
    // The set moves as one: its first image speaks for all, and `validate` asks for every one.
    const repository = of.config.apps[app]?.images[0]?.repository;
    if (!repository) return { items: [], warnings: [] };
    try {
      const found = await readTags(of.ecr, repository);
      return { items: found.sort((a, b) => (a.tag < b.tag ? 1 : -1)).slice(0, SHOWN), warnings: [] };
    } catch (error) {
      const message = `The images of ${app} could not be read (${error instanceof Error ? error.name : 'unknown'})`;
      return { items: [], warnings: [{ code: 'AWS_DOWN', message }] };
    }
  });

async function readTags(ecr: ECRClient, repositoryName: string): Promise<TaggedRelease[]> {
  const abortSignal = AbortSignal.timeout(WITHIN_MS);
  const found: TaggedRelease[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < PAGES; page += 1) {
    const question = new DescribeImagesCommand({
      repositoryName,
      filter: { tagStatus: 'TAGGED' },
      maxResults: PAGE,
      nextToken,
    });
    const answer = await ecr.send(question, { abortSignal });
    found.push(...(answer.imageDetails ?? []).flatMap(({ imageTags = [] }) => releasesIn(imageTags)));
    nextToken = answer.nextToken;
    if (!nextToken) break;
  }
  return found;
}

function releasesIn(tags: readonly string[]): TaggedRelease[] {
  const release = tags.find((tag) => /^[0-9a-f]{40}$/.test(tag));
  return tags
    .filter((tag) => /^rel-\d{4}(?:\.\d{2}){5}$/.test(tag))
    .map((tag) => ({ tag, ...(release ? { release } : {}) }));
}
