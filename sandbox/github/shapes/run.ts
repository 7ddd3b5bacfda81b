/** Workflows and their runs. */
import type { Run, Workflow } from '../actions/run.js';
import { REPOSITORY_ID } from '../ids.js';
import { accountBody } from './account.js';
import { apiOf, htmlOf, nodeId, type Place } from './place.js';
import { repositoryBody } from './repository.js';

export function workflowBody({ id, file, name }: Workflow, place: Place) {
  const { createdAt, defaultBranch } = place.repository;
  return {
    id,
    node_id: nodeId('Workflow', id),
    name,
    path: `.github/workflows/${file}`,
    state: 'active',
    created_at: createdAt,
    updated_at: createdAt,
    url: `${apiOf(place)}/actions/workflows/${id}`,
    html_url: `${htmlOf(place)}/blob/${defaultBranch}/.github/workflows/${file}`,
    badge_url: `${htmlOf(place)}/workflows/${encodeURIComponent(name)}/badge.svg`,
  };
}

export const runLinks = ({ id }: Run, place: Place) => ({
  url: `${apiOf(place)}/actions/runs/${id}`,
  html_url: `${htmlOf(place)}/actions/runs/${id}`,
});

async function headCommitBody(sha: string, { repository }: Place) {
  const { tree, message, author, committer } = await repository.git.commit(sha);
  const person = ({ name, email }: { name: string; email: string }) => ({ name, email });
  return {
    id: sha,
    tree_id: tree,
    message,
    timestamp: committer.date,
    author: person(author),
    committer: person(committer),
  };
}

export async function runBody(run: Run, place: Place) {
  const { state, url } = place;
  const links = runLinks(run, place);
  // GitHub keeps a suite of checks with each run; nothing more is known of it here.
  const suite = run.id + 1_000_000;
  return {
    id: run.id,
    name: run.workflow.name,
    node_id: nodeId('WorkflowRun', run.id),
    check_suite_id: suite,
    check_suite_node_id: nodeId('CheckSuite', suite),
    head_branch: run.branch,
    head_sha: run.sha,
    path: `.github/workflows/${run.workflow.file}`,
    display_title: run.title,
    run_number: run.number,
    run_attempt: run.attempt,
    event: 'workflow_dispatch',
    status: run.status,
    conclusion: run.conclusion,
    workflow_id: run.workflow.id,
    ...links,
    pull_requests: [],
    created_at: run.createdAt,
    updated_at: run.updatedAt,
    run_started_at: run.startedAt,
    actor: accountBody(run.actor, state, url),
    triggering_actor: accountBody(run.triggeredBy, state, url),
    jobs_url: `${links.url}/jobs`,
    logs_url: `${links.url}/logs`,
    check_suite_url: `${apiOf(place)}/check-suites/${suite}`,
    artifacts_url: `${links.url}/artifacts`,
    cancel_url: `${links.url}/cancel`,
    rerun_url: `${links.url}/rerun`,
    previous_attempt_url: run.attempt > 1 ? `${links.url}/attempts/${run.attempt - 1}` : null,
    workflow_url: `${apiOf(place)}/actions/workflows/${run.workflow.id}`,
    head_commit: await headCommitBody(run.sha, place),
    repository: repositoryBody(place),
    head_repository: repositoryBody(place),
    head_repository_id: REPOSITORY_ID,
    referenced_workflows: [],
  };
}
