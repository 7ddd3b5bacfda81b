import { loginOf, type Need } from '../access.js';
import { failed, invalid, notFound, type Answer, type FieldError } from '../answers.js';
import { badRequest, flag, isRecord, required, text, texts } from '../fields.js';
import { onRepository, type RepositoryRequest } from '../on-repository.js';
import { paged } from '../pages.js';
import { moveRef } from '../pushes.js';
import { now, STATES, type Deployment, type DeploymentStatus } from '../records.js';
import type { Route } from '../router.js';
import { deploymentBody, statusBody } from '../shapes/record.js';
import { noreply } from '../signing.js';

const DOCS = 'deployments/deployments';
const NEED: Need = { permissions: ['deployments'], scopes: ['repo', 'repo_deployment', 'public_repo'] };
const LONGEST_DESCRIPTION = 140;
const LONGEST_ENVIRONMENT = 255;

const docs = `https://docs.github.com/rest/${DOCS}`;

/**
 * What GitHub does about a ref that is behind the default branch, unless `auto_merge` is false: merges a branch,
 * refuses a tag or commit. Undefined where it is not behind.
 */
async function autoMerge({ repository, by, state }: RepositoryRequest, ref: string, sha: string) {
  const { git, defaultBranch } = repository;
  const main = await git.resolve(`refs/heads/${defaultBranch}`);
  if (!main || (await git.isAncestor(main, sha))) return undefined;
  const branch = await git.ref(`refs/heads/${ref}`);
  const tree = branch && (await git.mergedTree(sha, main));
  if (!branch || !tree) return failed(409, `Conflict merging ${defaultBranch} into ${ref}.`, docs);
  const message = `Merge ${defaultBranch} into ${ref}`;
  const merge = await git.makeCommit({ tree, parents: [sha, main], message, by: noreply(by, state) });
  await moveRef(repository, { ref: branch.ref, before: sha, after: merge, by });
  return { status: 202, body: { message: `Auto-merged ${defaultBranch} into ${ref} on deployment.` } };
}

function payloadOf(value: unknown): unknown {
  if (value === undefined || value === null || value === '') return {};
  if (typeof value === 'string' || isRecord(value)) return value;
  throw badRequest(`For 'properties/payload', ${JSON.stringify(value)} is not an object.`);
}

const tooLong = (resource: string, field: string, value: string, most: number): FieldError[] =>
  [...value].length > most
    ? [{ resource, code: 'custom', field, message: `${field} is too long (maximum is ${most} characters)` }]
    : [];

async function create(request: RepositoryRequest): Promise<Answer> {
  const { fields, repository, caller, place } = request;
  const ref = required(fields, 'ref');
  const environment = text(fields, 'environment') ?? 'production';
  const payload = payloadOf(fields['payload']);
  const contexts = texts(fields, 'required_contexts');
  const long = tooLong('Deployment', 'environment', environment, LONGEST_ENVIRONMENT);
  if (long.length) return invalid(...long);
  const sha = await repository.git.resolve(ref);
  if (!sha) return failed(422, `No ref found for: ${ref}`, docs);
  const merged = flag(fields, 'auto_merge', true) ? await autoMerge(request, ref, sha) : undefined;
  if (merged) return merged;
  // No commit has a status here: whatever is required is missing.
  if (contexts?.length) return failed(409, `Conflict: Commit status checks failed for ${ref}.`, docs);

  const at = now();
  const deployment: Deployment = {
    id: repository.nextId(),
    sha,
    ref,
    task: text(fields, 'task') ?? 'deploy',
    environment,
    payload,
    description: text(fields, 'description') || null,
    creator: loginOf(caller),
    transient: flag(fields, 'transient_environment', false),
    production: flag(fields, 'production_environment', environment === 'production'),
    createdAt: at,
    updatedAt: at,
    statuses: [],
  };
  repository.deployments.push(deployment);
  const what = String(deployment.id);
  repository.effects.add({ kind: 'deployment', by: deployment.creator, what, detail: environment });
  return { status: 201, body: deploymentBody(deployment, place) };
}

function list(request: RepositoryRequest): Promise<Answer> {
  const { query, repository, place } = request;
  const found = repository.deployments.filter((one) =>
    (['sha', 'ref', 'task', 'environment'] as const).every((key) => {
      const wanted = query.get(key);
      return wanted === null || wanted === '' || wanted === 'none' || wanted === one[key];
    }),
  );
  return paged(request, found.reverse(), (one) => deploymentBody(one, place));
}

const deploymentAt = ({ params, repository }: RepositoryRequest): Deployment | undefined =>
  repository.deployments.find(({ id }) => String(id) === params['id']);

function statusTrouble(fields: Record<string, unknown>): FieldError[] {
  const resource = 'DeploymentStatus';
  const urls = ['log_url', 'target_url', 'environment_url'].filter((field) => {
    const value = text(fields, field);
    return value && !/^https?:\/\/\S+$/.test(value);
  });
  return [
    ...(STATES.some((state) => state === fields['state'])
      ? []
      : [
          { resource, code: 'custom' as const, field: 'state', message: 'state is not included in the list' },
        ]),
    ...tooLong(resource, 'description', text(fields, 'description') ?? '', LONGEST_DESCRIPTION),
    ...urls.map((field) => ({
      resource,
      code: 'custom' as const,
      field,
      message: `${field} must use http(s) scheme`,
    })),
  ];
}

/** Earlier successes of the environment are over, unless it is production's or transient. */
function inactivate(repository: RepositoryRequest['repository'], current: Deployment, by: string): void {
  for (const one of repository.deployments) {
    const isEarlier = one.id < current.id && one.environment === current.environment;
    if (!isEarlier || one.transient || one.production || one.statuses.at(-1)?.state !== 'success') continue;
    const last = one.statuses.at(-1) as DeploymentStatus;
    one.statuses.push({
      ...last,
      id: repository.nextId(),
      state: 'inactive',
      description: '',
      creator: by,
      createdAt: now(),
    });
    one.updatedAt = now();
  }
}

function addStatus(request: RepositoryRequest): Answer {
  const { fields, repository, by, place } = request;
  const deployment = deploymentAt(request);
  if (!deployment) return notFound(docs);
  const state = required(fields, 'state');
  const trouble = statusTrouble(fields);
  if (trouble.length) return invalid(...trouble);
  const status: DeploymentStatus = {
    id: repository.nextId(),
    state: state as DeploymentStatus['state'],
    description: text(fields, 'description') ?? '',
    logUrl: text(fields, 'log_url') ?? text(fields, 'target_url') ?? '',
    environmentUrl: text(fields, 'environment_url') ?? '',
    environment: text(fields, 'environment') ?? deployment.environment,
    creator: by,
    createdAt: now(),
  };
  deployment.statuses.push(status);
  deployment.updatedAt = status.createdAt;
  if (state === 'success' && flag(fields, 'auto_inactive', true)) inactivate(repository, deployment, by);
  repository.effects.add({ kind: 'status', by, what: String(deployment.id), detail: state });
  return { status: 201, body: statusBody(status, deployment, place) };
}

function statuses(request: RepositoryRequest): Answer | Promise<Answer> {
  const deployment = deploymentAt(request);
  if (!deployment) return notFound(docs);
  return paged(request, deployment.statuses.toReversed(), (one) =>
    statusBody(one, deployment, request.place),
  );
}

function one(request: RepositoryRequest): Answer {
  const deployment = deploymentAt(request);
  return deployment ? { status: 200, body: deploymentBody(deployment, request.place) } : notFound(docs);
}

export const deployments: Route[] = [
  onRepository({ method: 'POST', path: '/deployments', need: NEED, docs: DOCS, handle: create }),
  onRepository({ method: 'GET', path: '/deployments', docs: DOCS, handle: list }),
  onRepository({ method: 'GET', path: '/deployments/{id}', docs: DOCS, handle: one }),
  onRepository({
    method: 'POST',
    path: '/deployments/{id}/statuses',
    need: NEED,
    docs: DOCS,
    handle: addStatus,
  }),
  onRepository({ method: 'GET', path: '/deployments/{id}/statuses', docs: DOCS, handle: statuses }),
];
