/** Image tags, commits and digests: their forms, and what a tag tells of a release. */

const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const COMMIT = /^[0-9a-f]{40}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** `YYYY.MM.DD.HH.MM.SS` */
const DATE = /^\d{4}(?:\.\d{2}){5}$/;
/** Labels are foreign text: one line without blanks, and not a page. */
const RELEASE = /^[\x21-\x7e]{1,200}$/;

/** Label of an image config that names the commit it was built from. */
export const REVISION_LABEL = 'org.opencontainers.image.revision';
export const SOURCE_LABEL = 'org.opencontainers.image.source';

/** Whether a registry could hold such a tag. */
export const isTag = (text: string): boolean => TAG.test(text);

/** A full SHA-1, lower-case. */
export const isCommit = (text: string): boolean => COMMIT.test(text);

export const isDigest = (text: string): boolean => DIGEST.test(text);

/** The tag to look up: `{app}-{date}`, a release's git tag, stands for the image tag `rel-{date}`. */
export function imageTag(app: string, tag: string): string {
  const prefix = `${app}-`;
  const date = tag.startsWith(prefix) ? tag.slice(prefix.length) : '';
  return DATE.test(date) ? `rel-${date}` : tag;
}

/** What the registry tells of one image of a set. */
export interface ImageIdentity {
  repository: string;
  /** The revision label. */
  revision?: string;
  /** Every tag on the same digest, where they were asked for. */
  tags: readonly string[];
}

/**
 * What the version endpoint has to report: the revision label, else a 40-hex tag on the same digest, else
 * the tag. A set speaks with one voice: the first image that has a label decides for all, then the first with
 * a 40-hex tag.
 * @returns `differs`: `repository: release` of each image, where the images of the set disagree
 */
export function releaseOf(input: { images: readonly ImageIdentity[]; tag: string }): {
  release: string;
  differs?: string[];
} {
  const labels = input.images.map((image) =>
    image.revision !== undefined && RELEASE.test(image.revision) ? image.revision : undefined,
  );
  const commits = input.images.map((image) => commitTag(image.tags, input.tag));
  const known = input.images.map((_, index) => labels[index] ?? commits[index]);
  const release = labels.find(Boolean) ?? commits.find(Boolean) ?? input.tag;
  const voices = new Set(known.filter((voice) => voice !== undefined));
  if (voices.size < 2) return { release };
  return {
    release,
    differs: input.images.map((image, index) => `${image.repository}: ${known[index] ?? 'unknown'}`),
  };
}

/** The tag that was asked for, where it is a commit itself; else the first in order, so that it is always the same. */
function commitTag(tags: readonly string[], asked: string): string | undefined {
  const commits = tags.filter(isCommit).sort();
  return commits.includes(asked) ? asked : commits[0];
}
