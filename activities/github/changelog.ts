/** Step `changelog` of a release: branch, file and pull request, each looked for first. Never merged by us. */
import type { Config } from '../../domain/config/config.js';
import { changelogFile, changelogPathFor, labelFor } from '../../domain/release/notes.js';
import { refuse } from '../failure.js';
import { GitHub, type GitHubDeps } from './ask.js';
import { askedBy, markerOf, repositoryUrl } from './release.js';

export interface OpenChangelogInput {
  app: string;
  /** `{app}-{date}` */
  gitTag: string;
  /** `YYYY.MM.DD.HH.MM.SS` */
  date: string;
  /** Markdown: the release's notes. */
  body: string;
  actor: string;
}

export interface OpenedChangelog {
  /** HTML address of the pull request, also of one that was merged or closed since. */
  url: string;
}

interface Work {
  github: GitHub;
  config: Config;
  branch: string;
}

const CONTENTS = 'Contents: write';
const PULLS = 'Pull requests: write';

export function createOpenChangelog(deps: GitHubDeps) {
  const github = new GitHub(deps);
  return {
    /**
     * Safe to repeat: goes on after whichever effect is there.
     * @throws ApplicationFailure `GITHUB_FAILED`; retryable `GITHUB_DOWN`, `GITHUB_REFUSED`
     */
    openChangelog: async (input: OpenChangelogInput): Promise<OpenedChangelog> => {
      const work = { github, config: deps.config, branch: `changelog/${input.gitTag}` };
      let pull = await findPull(work);
      if (!pull) {
        await makeBranch(work);
        await makeFile(work, input);
        pull = await makePull(work, input);
      }
      if (pull.state === 'open') await label(work, input.app, pull);
      return { url: pull.html_url };
    },
  };
}

interface Pull {
  number: number;
  state: string;
  html_url: string;
  labels: { name?: string }[];
}

/** Whatever its state: one that a person closed is not opened again. */
async function findPull({ github, branch }: Work): Promise<Pull | undefined> {
  const { owner, repo } = github.repo;
  const question = { what: `looking for the pull request of ${branch}`, needs: PULLS };
  const pulls = await github.ask(question, (rest) =>
    rest.pulls.list({ owner, repo, head: `${owner}:${branch}`, state: 'all', per_page: 100 }),
  );
  const full = `${owner}/${repo}`.toLowerCase();
  return pulls.find(
    ({ head }) =>
      head.ref === branch && (head.repo as { full_name: string } | null)?.full_name.toLowerCase() === full,
  );
}

const headOf = async ({ github }: Pick<Work, 'github'>, branch: string): Promise<string | undefined> => {
  const question = { what: `reading the branch ${branch}`, needs: CONTENTS };
  const ref = await github.find(question, (rest) =>
    rest.git.getRef({ ...github.repo, ref: `heads/${branch}` }),
  );
  return ref?.object.sha;
};

async function makeBranch(work: Work): Promise<void> {
  const { github, config, branch } = work;
  if (await headOf(work, branch)) return;
  const base = config.repository.branch;
  const sha = await headOf(work, base);
  if (!sha) throw refuse('GITHUB_FAILED', `The repository has no branch ${base}`);
  await github.make(
    { what: `creating the branch ${branch}`, needs: CONTENTS },
    (rest) => rest.git.createRef({ ...github.repo, ref: `refs/heads/${branch}`, sha }),
    () => headOf(work, branch),
  );
}

async function makeFile(work: Work, { app, gitTag, date, body }: OpenChangelogInput): Promise<void> {
  const { github, config, branch } = work;
  const path = changelogPathFor(config.releaseNotes.changelogPath, { app, date });
  const question = { what: `writing ${path} on ${branch}`, needs: CONTENTS };
  // One that a person changed on the branch meanwhile stays as it is.
  const find = async () =>
    await github.find({ ...question, what: `reading ${path} on ${branch}` }, (rest) =>
      rest.repos.getContent({ ...github.repo, path, ref: branch }),
    );
  if (await find()) return;
  const content = Buffer.from(changelogFile({ date, body })).toString('base64');
  await github.make(
    question,
    (rest) =>
      rest.repos.createOrUpdateFileContents({
        ...github.repo,
        path,
        branch,
        message: titleOf(gitTag),
        content,
      }),
    find,
  );
}

const titleOf = (gitTag: string): string => `Publish changelog for ${gitTag}`;

async function makePull(work: Work, { gitTag, actor }: OpenChangelogInput): Promise<Pull> {
  const { github, config, branch } = work;
  const release = `${repositoryUrl(config)}/releases/tag/${encodeURIComponent(gitTag)}`;
  return await github.make(
    { what: `opening the pull request of ${branch}`, needs: PULLS },
    (rest) =>
      rest.pulls.create({
        ...github.repo,
        title: titleOf(gitTag),
        head: branch,
        base: config.repository.branch,
        body:
          `${askedBy(actor)}, this is the changelog of [${gitTag}](${release}), which you released. ` +
          `Sluice opened it and does not merge it.\n\n${markerOf(gitTag)}\n`,
      }),
    () => findPull(work),
  );
}

/** GitHub makes labels that are missing, where it may; that it may not does not hold the changelog up. */
async function label({ github, config }: Work, app: string, pull: Pull): Promise<void> {
  const there = new Set(pull.labels.map(({ name }) => name?.toLowerCase()));
  const labels = config.releaseNotes.pullRequestLabels
    .map((template) => labelFor(template, app))
    .filter((name) => !there.has(name.toLowerCase()));
  if (labels.length === 0) return;
  const what = `labelling pull request ${pull.number}`;
  await github.find(
    { what, needs: PULLS },
    (rest) => rest.issues.addLabels({ ...github.repo, issue_number: pull.number, labels }),
    [400, 403, 410, 422],
  );
}
