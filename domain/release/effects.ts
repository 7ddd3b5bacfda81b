/** What goes into and comes out of the activities of a release. Names and digests only (rule 7). */
import type { Target } from '../deployment.js';
import type { BadMark, LiveRelease } from '../messages.js';

export interface TagImagesInput {
  app: string;
  /** Asked for at GitHub, afresh, before anything is written (rule 11). */
  actor: string;
  /** The image set; digests of manifests or indexes. */
  from: { repository: string; digest: string }[];
  imageTag: string;
}

export interface ImagesTagged {
  /** Repositories where the tag was put now; in the others it was there. */
  put: string[];
}

export interface PublishInput {
  app: string;
  /** `{app}-{date}`: git tag and name of the GitHub Release. */
  gitTag: string;
  /** The commit that the images hold: where the git tag stands. */
  release: string;
  /** Image tag that was asked for. */
  tag: string;
  actor: string;
  /** Id. */
  deployment?: string;
}

export interface Published {
  /** HTML address. */
  url: string;
  /** Markdown. */
  notes: string;
  /** ISO 8601, where GitHub tells it. */
  publishedAt?: string;
}

export interface ChangelogInput {
  app: string;
  gitTag: string;
  date: string;
  /** Markdown. */
  body: string;
  actor: string;
}

/** The two that speak to GitHub. Both look before they make, so any number of attempts end alike. */
export interface ReleasePublishing {
  publishRelease(input: PublishInput): Promise<Published>;
  openChangelog(input: ChangelogInput): Promise<{ url: string }>;
}

export interface LiveInput extends Target {
  /** Whether this one is bad is told too. */
  release: string;
}

/** What a lane knows: its memo, a strong read that needs no worker. */
export interface LiveState {
  live?: LiveRelease;
  /** Something runs or waits there: what is live may change. */
  busy: boolean;
  bad?: BadMark;
}
