/** Workflow ids are what makes things happen once: they are built here and nowhere else. */
import type { Target } from './deployment.js';

const UNIQUE = /^[a-z0-9]{4,64}$/;
const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** Whether a name can stand in ids, tags and paths: lower-case letters, digits, `_`, `-`. */
export const isName = (text: string): boolean => NAME.test(text);

/** `{environment}.{app}.{unique}` */
export const deploymentId = (target: Target, unique: string): string =>
  `${target.environment}.${target.app}.${unique}`;

/** @returns undefined where `id` has not the form of a deployment's id. */
export function parseDeploymentId(id: string): (Target & { unique: string }) | undefined {
  const parts = id.split('.');
  const [environment, app, unique] = parts;
  if (parts.length !== 3 || !environment || !app || !unique) return undefined;
  if (!isName(environment) || !isName(app) || !UNIQUE.test(unique)) return undefined;
  return { environment, app, unique };
}

/** The id of the workflow of a deployment: its id with slashes. */
export const deploymentWorkflowId = (id: string): string => `deployment/${id.replaceAll('.', '/')}`;

export const deploymentIdOfWorkflow = (workflowId: string): string =>
  workflowId.replace(/^deployment\//, '').replaceAll('/', '.');

export const laneWorkflowId = (target: Target): string => `lane/${target.environment}/${target.app}`;

export const buildWorkflowId = (app: string, commit: string): string => `build/${app}/${commit}`;

export const planWorkflowId = (unique: string): string => `plan/${unique}`;

/** @returns undefined where `id` has not the form of a build's id, `{app}.{commit}` */
export function parseBuildId(id: string): { app: string; commit: string } | undefined {
  const [, app = '', commit = ''] = /^([^.]+)\.([0-9a-f]{40})$/.exec(id) ?? [];
  return isName(app) ? { app, commit } : undefined;
}

/** A rollback shares `{unique}` with its deployment. */
export const rollbackWorkflowId = (target: Target, unique: string): string =>
  `rollback/${target.environment}/${target.app}/${unique}`;

/** The workflow that a deployment belongs to, and that is told of its end. */
export const ownerWorkflowId = ({ type, id }: { type: string; id: string }): string =>
  type === 'release' ? releaseWorkflowId(id) : type === 'promotion' ? promotionWorkflowId(id) : id;

export const noticeWorkflowId = (id: string): string => `notice/${id}`;

/** @param hash of what people are told */
export const driftNoticeWorkflowId = ({ app, environment }: Target, hash: string): string =>
  `notice/drift/${environment}.${app}.${hash}`;

export const releasesWorkflowId = (app: string): string => `releases/${app}`;

/** @param id `{app}-{date}` */
export const releaseWorkflowId = (id: string): string => `release/${id}`;

/** @param idOrApp of a promotion, whose first part is its app, or the app itself */
export const promotionWorkflowId = (idOrApp: string): string => `promotion/${idOrApp.split('.')[0]}`;

/** One attempt of a promotion's tests. @param promotion its id */
export const testsWorkflowId = (promotion: string, attempt: number): string =>
  `tests/${promotion}/${attempt}`;

/** @param delivery `X-GitHub-Delivery` */
export const deliveryWorkflowId = (delivery: string): string => `delivery/${delivery}`;

export const RECONCILE_WORKFLOW_ID = 'reconcile';
