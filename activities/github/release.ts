/** Step `publish` of a release: the GitHub Release, its git tag at the image's own commit. */
import { EMERGENCY } from '../../domain/emergency.js';
import { mention, plainText, releaseNotes } from '../../domain/release/notes.js';
import { isCommit } from '../../domain/tags.js';
import { githubServerUrl } from '../../clients/github.js';
import type { Config } from '../../domain/config/config.js';
import { refuse } from '../failure.js';
import { GitHub, type GitHubDeps } from './ask.js';
import { compare, rangeOf } from './range.js';

export interface PublishReleaseInput {
  app: string;
  /** `{app}-{date}`: git tag and name of the Release. */
  gitTag: string;
  /** The commit that the images hold. */
  release: string;
  /** Image tag that was released. */
  tag: string;
  actor: string;
  /** Id of the deployment that brought it to production. */
  deployment?: string;
}

export interface PublishedRelease {
  /** HTML address. */
  url: string;
  /** Markdown: what the changelog says. At most about 60,000 characters. */
  notes: string;
  /** ISO 8601. */
  publishedAt?: string;
}

/** Hidden in what Sluice makes: found again by it. */
export const markerOf = (gitTag: string): string => `<!-- sluice: ${gitTag} -->`;

export const repositoryUrl = ({ repository: { owner, name } }: Pick<Config, 'repository'>): string =>
  `${githubServerUrl()}/${owner}/${name}`;

/** Whoever asked, so that GitHub tells them; nobody behind the emergency token. */
export const askedBy = (actor: string): string =>
  actor === EMERGENCY ? 'the emergency token' : mention(actor);

const NEEDS = 'Contents: write';

export function createPublishRelease(deps: GitHubDeps) {
  const github = new GitHub(deps);
  const work = { github, config: deps.config };
  return {
    /**
     * Safe to repeat: what is there already, and ours, is taken.
     * @throws ApplicationFailure `TAG_CONFLICT` (tag or Release are on something else), `GITHUB_FAILED`;
     *   retryable `GITHUB_DOWN`, `GITHUB_REFUSED`
     */
    publishRelease: async (input: PublishReleaseInput): Promise<PublishedRelease> =>
      await publish(work, input),
  };
}

interface Work {
  github: GitHub;
  config: Config;
}

async function publish(work: Work, input: PublishReleaseInput): Promise<PublishedRelease> {
  const { github } = work;
  const { gitTag, release } = input;
  const existing = await findRelease(github, gitTag);
  if (existing) return await accept(github, input, existing);
  await requireCommit(github, release);
  requireTag(input, await findTag(github, input));
  const body = bodyOf(input, await notesOf(work, input));
  const made = await github.make(
    { what: `creating the Release ${gitTag}`, needs: NEEDS },
    (rest) =>
      rest.repos.createRelease({
        ...github.repo,
        tag_name: gitTag,
        target_commitish: release,
        name: gitTag,
        body,
        draft: false,
        prerelease: false,
      }),
    () => findRelease(github, gitTag),
  );
  return await accept(github, input, made);
}

type FoundRelease = NonNullable<Awaited<ReturnType<typeof findRelease>>>;

const findRelease = async (github: GitHub, tag: string) =>
  await github.find({ what: `looking for the Release ${tag}`, needs: NEEDS }, (rest) =>
    rest.repos.getReleaseByTag({ ...github.repo, tag }),
  );

/** Ours, and its tag where it belongs: between looking and making, a tag may have come from elsewhere. */
async function accept(
  github: GitHub,
  input: PublishReleaseInput,
  found: FoundRelease,
): Promise<PublishedRelease> {
  const { gitTag } = input;
  const body = (found.body ?? '').replaceAll('\r\n', '\n');
  const at = body.indexOf(markerOf(gitTag));
  if (at < 0) {
    throw refuse(
      'TAG_CONFLICT',
      `There is a GitHub Release ${gitTag} that Sluice did not make: delete it, or rename its tag, then retry`,
    );
  }
  requireTag(input, await findTag(github, input));
  return {
    url: found.html_url,
    notes: body.slice(0, at).trimEnd(),
    ...(found.published_at ? { publishedAt: found.published_at } : {}),
  };
}

/** The commit that the git tag stands at. */
async function findTag(
  github: GitHub,
  { gitTag, release }: Pick<PublishReleaseInput, 'gitTag' | 'release'>,
): Promise<string | undefined> {
  const ref = await github.find({ what: `reading the git tag ${gitTag}`, needs: NEEDS }, (rest) =>
    rest.git.getRef({ ...github.repo, ref: `tags/${gitTag}` }),
  );
  if (ref?.object.type !== 'tag') return ref?.object.sha;
  // An annotated one names an object of its own; comparing follows it to the commit.
  const compared = await compare(github, gitTag, release, { page: 1, per_page: 1 });
  return compared?.base_commit.sha ?? ref.object.sha;
}

function requireTag({ gitTag, release }: PublishReleaseInput, standsAt: string | undefined): void {
  if (standsAt === undefined || standsAt === release) return;
  throw refuse(
    'TAG_CONFLICT',
    `The git tag ${gitTag} stands at ${standsAt}, not at the released commit ${release}: ` +
      'delete the tag (and its Release), then retry',
  );
}

/** GitHub would put a tag of an unknown commit at the head of the branch, or answer without saying why. */
async function requireCommit(github: GitHub, release: string): Promise<void> {
  const { owner, repo } = github.repo;
  const where = `${owner}/${repo}`;
  // 422: no such commit; 404: the repository is not seen, which the second question tells.
  const found = isCommit(release)
    ? await github.find(
        { what: `reading the commit ${release}`, needs: 'Contents: read' },
        (rest) => rest.repos.getCommit({ owner, repo, ref: release, per_page: 1 }),
        [422],
      )
    : undefined;
  if (found) return;
  await github.ask({ what: `reading the repository ${where}`, needs: 'Metadata: read' }, (rest) =>
    rest.repos.get(github.repo),
  );
  throw refuse(
    'GITHUB_FAILED',
    `The release ${release} of the images is no commit of ${where}, so its git tag has no place: ` +
      'build them with the label org.opencontainers.image.revision, or abandon this release',
  );
}

async function notesOf({ github, config }: Work, { app, gitTag, release }: PublishReleaseInput) {
  const { previous, pullRequests, truncated } = await rangeOf(github, { app, gitTag, release });
  const notes = releaseNotes({
    app,
    pullRequests,
    config: config.releaseNotes,
    repositoryUrl: repositoryUrl(config),
    ...(previous === undefined ? {} : { previous }),
  });
  if (!truncated) return notes;
  return `${notes}\n\n${previous === undefined ? 'This is the first release: only its newest commits were looked at.' : 'It holds more than was looked at.'}`;
}

function bodyOf({ gitTag, tag, actor, deployment }: PublishReleaseInput, notes: string): string {
  const deployed = deployment === undefined ? '' : `, deployed as ${plainText(deployment)}`;
  return `${notes}\n\n${markerOf(gitTag)}\n\nImage tag ${plainText(tag)}${deployed}. Released by ${askedBy(actor)}.\n`;
}
