/** What a webhook's delivery says. */
import type { Happened, PullHappened, RunHappened } from '../events.js';
import { countsOf } from '../pulls.js';
import type { Hook } from '../webhooks/hooks.js';
import { accountBody } from './account.js';
import { hookBody } from './hook.js';
import { htmlOf, type Place } from './place.js';
import { fullPullBody } from './pull.js';
import { pushBody } from './push.js';
import { repositoryBody } from './repository.js';
import { runBody, workflowBody } from './run.js';

function organizationBody({ repository, state, url }: Place) {
  const { login, id, node_id, avatar_url } = accountBody(repository.owner, state, url);
  const self = `${url}/orgs/${login}`;
  return {
    login,
    id,
    node_id,
    url: self,
    repos_url: `${self}/repos`,
    events_url: `${self}/events`,
    hooks_url: `${self}/hooks`,
    issues_url: `${self}/issues`,
    members_url: `${self}/members{/member}`,
    public_members_url: `${self}/public_members{/member}`,
    avatar_url,
    description: '',
  };
}

const from = (by: string, place: Place) => ({
  repository: repositoryBody(place),
  organization: organizationBody(place),
  sender: accountBody(by, place.state, place.url),
});

async function pullPayload({ action, pull, by }: PullHappened, place: Place) {
  const counted = await countsOf(place.repository, pull);
  return {
    action,
    number: pull.number,
    pull_request: fullPullBody(pull, counted, place),
    ...from(by, place),
  };
}

async function runPayload({ action, run }: RunHappened, place: Place) {
  return {
    action,
    workflow_run: await runBody(run, place),
    workflow: workflowBody(run.workflow, place),
    ...from(run.triggeredBy, place),
  };
}

export async function payloadOf(happened: Happened, place: Place): Promise<Record<string, unknown>> {
  switch (happened.event) {
    case 'push':
      return { ...(await pushBody(happened, place)), ...pushedFrom(happened.by, place) };
    case 'pull_request':
      return pullPayload(happened, place);
    case 'workflow_run':
      return runPayload(happened, place);
  }
}

/** A push shows the repository as Git's hosting does: times in seconds, its owner with name and address. */
function pushedFrom(by: string, place: Place) {
  const { repository, organization, sender } = from(by, place);
  const seconds = Math.floor(Date.now() / 1_000);
  return {
    repository: {
      ...repository,
      url: htmlOf(place),
      owner: { name: repository.owner.login, email: '', ...repository.owner },
      created_at: Math.floor(Date.parse(repository.created_at) / 1_000),
      pushed_at: seconds,
      stargazers: 0,
      master_branch: repository.default_branch,
      organization: organization.login,
    },
    organization,
    sender,
  };
}

export const pingPayload = (hook: Hook, by: string, place: Place) => ({
  zen: 'Keep it logically awesome.',
  hook_id: hook.id,
  hook: hookBody(hook, place),
  ...from(by, place),
});
