import type { Need } from '../access.js';
import { failed, notFound, type Answer } from '../answers.js';
import type { Run, Workflow } from '../actions/run.js';
import type { WorkflowFile } from '../actions/workflow-file.js';
import { badRequest, flag, isRecord, required, type Fields } from '../fields.js';
import { onRepository, type RepositoryRequest } from '../on-repository.js';
import { paged } from '../pages.js';
import { isWithin } from '../ranges.js';
import type { Route } from '../router.js';
import { runBody, runLinks, workflowBody } from '../shapes/run.js';

const NEED: Need = { permissions: ['actions'], scopes: ['repo'] };
const DOCS = 'actions/workflows#create-a-workflow-dispatch-event';
const MOST_INPUTS = 25;

const refused = (message: string): Answer => failed(422, message, `https://docs.github.com/rest/${DOCS}`);

/** A branch or tag, by its name or full ref; no commit. */
async function refOf({ repository }: RepositoryRequest, name: string) {
  const { git } = repository;
  const names = name.startsWith('refs/') ? [name] : [`refs/heads/${name}`, `refs/tags/${name}`];
  for (const one of names) {
    const sha = (await git.ref(one)) && (await git.resolve(one));
    if (sha) return { name: one.replace(/^refs\/(?:heads|tags)\//, ''), sha };
  }
  return undefined;
}

function inputsOf(fields: Fields): Record<string, string> {
  const given = fields['inputs'] ?? {};
  if (!isRecord(given))
    throw badRequest(`For 'properties/inputs', ${JSON.stringify(given)} is not an object.`);
  return Object.fromEntries(
    Object.entries(given).map(([name, value]): [string, string] => {
      if (typeof value === 'string') return [name, value];
      if (typeof value === 'number' || typeof value === 'boolean') return [name, String(value)];
      throw badRequest(`For 'properties/inputs/${name}', ${JSON.stringify(value)} is not a string.`);
    }),
  );
}

/** What the workflow gets, or why GitHub does not take it. */
function filled({ inputs }: WorkflowFile, given: Record<string, string>): Record<string, string> | Answer {
  if (!inputs) return refused("Workflow does not have 'workflow_dispatch' trigger");
  const unexpected = Object.keys(given).filter((name) => !(name in inputs));
  if (unexpected.length) return refused(`Unexpected inputs provided: ${JSON.stringify(unexpected)}`);
  const values: Record<string, string> = {};
  for (const [name, input] of Object.entries(inputs)) {
    const value = given[name] ?? input.default;
    if (value === undefined && input.required) return refused(`Required input '${name}' not provided`);
    values[name] = value ?? '';
  }
  return values;
}

const isAnswer = (value: Record<string, string> | Answer): value is Answer =>
  typeof value.status === 'number';

async function dispatch(workflow: Workflow, request: RepositoryRequest): Promise<Answer> {
  const { fields, repository, place, by } = request;
  const { actions, effects } = repository;
  if ('return_run_details' in fields && actions.runDetails === 'refused')
    throw badRequest('"return_run_details" is not a permitted key.');
  const wantsDetails = flag(fields, 'return_run_details', false);
  const given = inputsOf(fields);
  if (Object.keys(given).length > MOST_INPUTS)
    throw badRequest(`No more than ${MOST_INPUTS} properties are allowed.`);
  const name = required(fields, 'ref');
  const ref = await refOf(request, name);
  if (!ref) return refused(`No ref found for: ${name}`);
  const file = await actions.file(workflow.file, ref.sha);
  if (!file) return refused(`Could not find ${workflow.file} on ${name}`);
  const inputs = filled(file, given);
  if (isAnswer(inputs)) return inputs;
  const run = await actions.start({ workflow, file, branch: ref.name, sha: ref.sha, inputs, by });
  effects.add({ kind: 'dispatch', by, what: String(run.id), detail: run.title });
  if (!wantsDetails || actions.runDetails === 'ignored') return { status: 204 };
  const { url, html_url } = runLinks(run, place);
  return { status: 200, body: { workflow_run_id: run.id, run_url: url, html_url } };
}

const onWorkflow = (work: (workflow: Workflow, request: RepositoryRequest) => Answer | Promise<Answer>) =>
  async function handle(request: RepositoryRequest): Promise<Answer> {
    const workflow = await request.repository.actions.workflow(request.params['workflow'] ?? '');
    return workflow ? work(workflow, request) : notFound();
  };

const onRun = (work: (run: Run, request: RepositoryRequest) => Answer | Promise<Answer>) =>
  function handle(request: RepositoryRequest): Answer | Promise<Answer> {
    const run = request.repository.actions.run(Number(request.params['run']));
    return run ? work(run, request) : notFound();
  };

const FILTERS: Record<string, (run: Run, value: string) => boolean> = {
  event: (_run, value) => value === 'workflow_dispatch',
  branch: ({ branch }, value) => branch === value,
  actor: ({ actor }, value) => actor.toLowerCase() === value.toLowerCase(),
  status: ({ status, conclusion }, value) => status === value || conclusion === value,
  head_sha: ({ sha }, value) => sha === value,
  created: ({ createdAt }, value) => isWithin(createdAt, value),
};

/** Newest first. */
async function listed(runs: Run[], request: RepositoryRequest): Promise<Answer> {
  const { query, place } = request;
  const found = runs.filter(
    (run) =>
      run.listedFrom <= Date.now() &&
      Object.entries(FILTERS).every(([name, fits]) => {
        const value = query.get(name);
        return value === null || fits(run, value);
      }),
  );
  const page = await paged(request, found.reverse(), (run) => runBody(run, place));
  return { ...page, body: { total_count: found.length, workflow_runs: page.body } };
}

function cancel(run: Run, { repository, by }: RepositoryRequest): Answer {
  if (run.status === 'completed') return failed(409, 'Cannot cancel a workflow run that is completed.');
  repository.actions.cancel(run);
  repository.effects.add({ kind: 'cancel', by, what: String(run.id) });
  return { status: 202, body: {} };
}

async function rerun(run: Run, { repository, by }: RepositoryRequest): Promise<Answer> {
  if (run.status !== 'completed') return failed(403, 'The workflow run is already running');
  await repository.actions.rerun(run, by);
  repository.effects.add({ kind: 'rerun', by, what: String(run.id), detail: String(run.attempt) });
  return { status: 201, body: {} };
}

const WORKFLOW = '/actions/workflows/{workflow}';
const RUN = '/actions/runs/{run}';
const write = { method: 'POST', need: NEED, docs: DOCS, bodyless: true } as const;

export const actions: Route[] = [
  onRepository({
    method: 'GET',
    path: '/actions/workflows',
    async handle(request) {
      const all = await request.repository.actions.workflows();
      const page = await paged(request, all, (one) => workflowBody(one, request.place));
      return { ...page, body: { total_count: all.length, workflows: page.body } };
    },
  }),
  onRepository({
    method: 'GET',
    path: WORKFLOW,
    handle: onWorkflow((workflow, { place }) => ({ status: 200, body: workflowBody(workflow, place) })),
  }),
  onRepository({ ...write, bodyless: false, path: `${WORKFLOW}/dispatches`, handle: onWorkflow(dispatch) }),
  onRepository({
    method: 'GET',
    path: `${WORKFLOW}/runs`,
    handle: onWorkflow(({ id }, request) =>
      listed(
        request.repository.actions.runs.filter(({ workflow }) => workflow.id === id),
        request,
      ),
    ),
  }),
  onRepository({
    method: 'GET',
    path: '/actions/runs',
    handle: (request) => listed(request.repository.actions.runs, request),
  }),
  onRepository({
    method: 'GET',
    path: RUN,
    handle: onRun(async (run, { place }) => ({ status: 200, body: await runBody(run, place) })),
  }),
  onRepository({ ...write, path: `${RUN}/cancel`, handle: onRun(cancel) }),
  onRepository({ ...write, path: `${RUN}/rerun`, handle: onRun(rerun) }),
];
