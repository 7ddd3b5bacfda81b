/**
 * A GitHub Deployment for each of Sluice's: the environment's page is then the public record.
 *
 *   const { record } = createGitHubDeployments({ config, credentials });
 *   await record({
 *     id: 'production.api.k3j2', app: 'api', environment: 'production', kind: 'rollback',
 *     ref: '40 hex, or absent', tag: 'rel-2026.01.02.03.04.05', actor: 'sara',
 *     state: 'in_progress', description: 'its tasks start', logUrl: 'https://sluice…', environmentUrl: 'https://…',
 *   });
 *
 * Call it once a change of state, in order; each call is safe to repeat. It makes the Deployment where it is not
 * there, so that a first call that never got through is made up for by the next.
 */
import type { Kind, Target } from '../../domain/deployment.js';
import { isCommit } from '../../domain/tags.js';
import { GitHub, type GitHubDeps } from './ask.js';
import type { Octokit } from '@octokit/rest';

export type GitHubDeploymentState = 'queued' | 'in_progress' | 'success' | 'failure' | 'error' | 'inactive';

export interface GitHubDeploymentRecord extends Target {
  /** Our deployment id: in the payload, and found again by it. */
  id: string;
  /** GitHub's `task`. */
  kind: Kind;
  /** The release, or the commit asked for. One that GitHub does not know, or none: the branch. */
  ref?: string;
  tag?: string;
  actor: string;
  state: GitHubDeploymentState;
  /** Plain words; cut to 140 characters. */
  description: string;
  /** Where the deployment can be followed. */
  logUrl?: string;
  /** Where the service can be seen. */
  environmentUrl?: string;
}

export interface GitHubDeployments {
  /** @throws ApplicationFailure `GITHUB_FAILED`; retryable `GITHUB_DOWN`, `GITHUB_REFUSED` */
  record(input: GitHubDeploymentRecord): Promise<void>;
}

const PAGE = 100;
/** A lane's deployments are few at a time: ours is among the newest. */
const PAGES = 3;
const STATUSES = 30;
const LONGEST = 140;
const NEEDS = 'Deployments: write';
const ENDS: readonly string[] = ['success', 'failure', 'error', 'inactive'];

export function createGitHubDeployments(deps: GitHubDeps): GitHubDeployments {
  const github = new GitHub(deps);
  const { branch } = deps.config.repository;
  return {
    async record(input) {
      const number = (await findOne(github, input)) ?? (await create(github, branch, input));
      await setStatus(github, number, input);
    },
  };
}

const environmentOf = ({ app, environment }: Target): string => `${environment}-${app}`;

/** @returns GitHub's number of it */
async function findOne(github: GitHub, input: GitHubDeploymentRecord): Promise<number | undefined> {
  const found: number[] = [];
  for (let page = 1; page <= PAGES; page += 1) {
    const listed = await github.ask(
      { what: `listing the GitHub Deployments of ${environmentOf(input)}`, needs: NEEDS },
      (rest) =>
        rest.repos.listDeployments({
          ...github.repo,
          environment: environmentOf(input),
          per_page: PAGE,
          page,
        }),
    );
    found.push(...listed.filter(({ payload }) => idIn(payload) === input.id).map(({ id }) => id));
    if (found.length > 0 || listed.length < PAGE) break;
  }
  const [first, ...others] = found.sort((a, b) => a - b);
  for (const other of others) await remove(github, other);
  return first;
}

/** An object where an object was sent, text where text was; anything where others made it. */
function idIn(payload: unknown): unknown {
  let value = payload;
  if (typeof value === 'string') {
    try {
      value = JSON.parse(value);
    } catch {
      return undefined;
    }
  }
  return typeof value === 'object' && value !== null ? (value as { sluice?: unknown }).sluice : undefined;
}

/**
 * A second one of ours: it came of a request whose answer was lost and that took effect only after the next
 * attempt had looked. GitHub deletes none that is active.
 */
async function remove(github: GitHub, number: number): Promise<void> {
  const doing = { what: `removing the double GitHub Deployment ${number}`, needs: NEEDS };
  const at = { ...github.repo, deployment_id: number };
  const [last] = await github.ask(doing, (rest) => rest.repos.listDeploymentStatuses({ ...at, per_page: 1 }));
  if (last?.state !== 'inactive') {
    await github.ask(doing, (rest) => rest.repos.createDeploymentStatus({ ...at, state: 'inactive' }));
  }
  await github.find(doing, (rest) => rest.repos.deleteDeployment(at), [403, 422]);
}

async function create(github: GitHub, branch: string, input: GitHubDeploymentRecord): Promise<number> {
  const { ref } = input;
  const { repo } = github;
  if (ref !== undefined && isCommit(ref)) {
    // A commit that GitHub lacks: the branch stands in for it, the payload tells what was deployed.
    const made = await github.find(doing(input), (rest) => send(rest, { repo, ref, input }), [422]);
    if (made) return idOf(made);
  }
  return idOf(await github.ask(doing(input), (rest) => send(rest, { repo, ref: branch, input })));
}

const doing = ({ id }: GitHubDeploymentRecord) => ({
  what: `creating the GitHub Deployment of ${id}`,
  needs: NEEDS,
  write: true,
});

type Made = { id: number } | { message?: string };

async function send(
  rest: Octokit['rest'],
  { repo, ref, input }: { repo: GitHub['repo']; ref: string; input: GitHubDeploymentRecord },
): Promise<{ data: Made }> {
  const { id, kind, tag, actor, ref: release } = input;
  return await rest.repos.createDeployment({
    ...repo,
    ref,
    task: kind,
    auto_merge: false,
    required_contexts: [],
    payload: { sluice: id, actor, ...(tag ? { tag } : {}), ...(release ? { release } : {}) },
    environment: environmentOf(input),
    description: cut(`${kind} of ${tag ?? ref} by ${actor}`),
    transient_environment: false,
    production_environment: input.environment === 'production',
  });
}

/** Without `auto_merge` GitHub never answers 202, the only answer without an id. */
function idOf(made: Made): number {
  if ('id' in made) return made.id;
  throw new TypeError('GitHub made no Deployment');
}

async function setStatus(github: GitHub, number: number, input: GitHubDeploymentRecord): Promise<void> {
  const at = { ...github.repo, deployment_id: number };
  const { state, id } = input;
  const description = cut(input.description);
  const statuses = await github.ask(
    { what: `reading the statuses of the GitHub Deployment of ${id}`, needs: NEEDS },
    (rest) => rest.repos.listDeploymentStatuses({ ...at, per_page: STATUSES }),
  );
  // GitHub adds `inactive` by itself once another has succeeded: ours need not be the last.
  if (statuses.some((each) => each.state === state && each.description === description)) return;
  // What comes late does not open again what has ended.
  if (!ENDS.includes(state) && statuses.some((each) => ENDS.includes(each.state))) return;
  const links = {
    ...(isLink(input.logUrl) ? { log_url: input.logUrl } : {}),
    ...(isLink(input.environmentUrl) ? { environment_url: input.environmentUrl } : {}),
  };
  await github.ask(
    { what: `setting the GitHub Deployment of ${id} to ${state}`, needs: NEEDS, write: true },
    (rest) => rest.repos.createDeploymentStatus({ ...at, state, description, ...links }),
  );
}

const isLink = (url: string | undefined): url is string => url !== undefined && /^https?:\/\//.test(url);

function cut(text: string): string {
  const characters = [...text.replace(/\s+/g, ' ').trim()];
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join('')}…` : characters.join('');
}
