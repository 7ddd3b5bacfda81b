/** What the stand-in knows: records of clusters, task definitions, services, deployments and tasks. */
import { randomBytes } from 'node:crypto';
import type { DeploymentConfiguration, RegisterTaskDefinitionCommandInput, Tag } from '@aws-sdk/client-ecs';
import type { CallLog } from './calls.js';
import type { ContainerRunner, RunningTask } from './containers.js';
import type { ImageStore } from './image-store.js';

/** Speeds of the rollout clock, in milliseconds. */
export interface Timings {
  tick: number;
  /** PROVISIONING to containers started. */
  pull: number;
  /** RUNNING to HEALTHY. */
  start: number;
  /** RUNNING to the exit of a container that does not stay up. */
  exit: number;
  /** RUNNING to given up, for a container that never becomes healthy. */
  unhealthy: number;
  /** From being told to stop until STOPPED; a draining task serves nothing new. */
  drain: number;
  /** Pause after a failed task before the next is started. */
  retry: number;
  /** All is as wanted, until COMPLETED. */
  settle: number;
}

export const DEFAULT_TIMINGS: Timings = {
  tick: 50,
  pull: 500,
  start: 600,
  exit: 150,
  unhealthy: 900,
  drain: 700,
  retry: 250,
  settle: 200,
};

/** How one service differs from what AWS does by default. */
export interface Behaviour {
  /** `currentServiceDeployment` and the service deployment API; off: as ministack and old services. */
  serviceDeployments: boolean;
  /** `rolloutState` and its reason are shown. */
  rolloutState: boolean;
  /** COMPLETED is shown while old tasks still drain, as ministack does. */
  drainAfterCompleted: boolean;
  /** Overrides `timings.drain`. */
  drainMs?: number;
  /** The rollout stands still. */
  frozen: boolean;
  /** Tasks report `imageDigest`. */
  imageDigests: boolean;
  /** A rollback makes the old deployment PRIMARY again (ministack) instead of a new one (AWS). */
  rollbackReusesDeployment: boolean;
  /** Seen at AWS: the deployment rolled back from goes on saying IN_PROGRESS, and FAILED only minutes later. */
  failedShownLate: boolean;
}

export const DEFAULT_BEHAVIOUR: Behaviour = {
  serviceDeployments: true,
  rolloutState: true,
  drainAfterCompleted: false,
  frozen: false,
  imageDigests: true,
  rollbackReusesDeployment: false,
  failedShownLate: false,
};

export interface TaskDefinitionRecord {
  arn: string;
  family: string;
  revision: number;
  status: 'ACTIVE' | 'INACTIVE';
  body: Omit<RegisterTaskDefinitionCommandInput, 'tags'>;
  tags: Tag[];
  registeredAt: number;
  deregisteredAt?: number;
}

/** Who began a deployment: an operation of the API, a rollback by ECS, or `sandbox` (somebody else). */
export type StartedBy = 'CreateService' | 'UpdateService' | 'StopServiceDeployment' | 'breaker' | 'sandbox';

export interface DeploymentRecord {
  /** `ecs-svc/<digits>` */
  id: string;
  status: 'PRIMARY' | 'ACTIVE' | 'INACTIVE';
  /** ARN. */
  taskDefinition: string;
  rolloutState: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';
  reason: string;
  failedTasks: number;
  createdAt: number;
  updatedAt: number;
  by: StartedBy;
  /** It is itself a rollback: it is not rolled back again. */
  rollback: boolean;
  serviceDeployment: ServiceDeploymentRecord;
  /** No task is started before. */
  retryAt: number;
  /** Since when all is as wanted. */
  readySince?: number;
}

export type ServiceDeploymentStatus =
  | 'IN_PROGRESS'
  | 'SUCCESSFUL'
  | 'STOPPED'
  | 'ROLLBACK_REQUESTED'
  | 'ROLLBACK_IN_PROGRESS'
  | 'ROLLBACK_SUCCESSFUL'
  | 'ROLLBACK_FAILED';

export interface ServiceDeploymentRecord {
  arn: string;
  status: ServiceDeploymentStatus;
  statusReason?: string;
  sourceRevision?: string;
  targetRevision: string;
  createdAt: number;
  updatedAt: number;
  finishedAt?: number;
  stoppedAt?: number;
  rollback?: { reason: string; startedAt: number; serviceRevisionArn: string };
}

export interface EventRecord {
  id: string;
  createdAt: number;
  message: string;
}

export interface ServiceRecord {
  arn: string;
  name: string;
  cluster: string;
  status: 'ACTIVE' | 'DRAINING' | 'INACTIVE';
  desired: number;
  deploymentConfiguration: DeploymentConfiguration;
  controller: string;
  launchType: string;
  createdAt: number;
  tags: Tag[];
  deployments: DeploymentRecord[];
  /** All that ever began, oldest first. */
  history: DeploymentRecord[];
  serviceDeployments: ServiceDeploymentRecord[];
  /** Newest first. */
  events: EventRecord[];
  tasks: TaskRecord[];
  behaviour: Behaviour;
  lastCompleted?: DeploymentRecord;
  /** Since when PRIMARY is COMPLETED and no other deployment has tasks. */
  stableAt?: number;
}

export interface ContainerRecord {
  name: string;
  image: string;
  imageDigest?: string;
  essential: boolean;
  exitCode?: number;
  reason?: string;
}

export interface TaskRecord {
  id: string;
  arn: string;
  /** Id of the deployment, as ECS gives it in `startedBy`. */
  startedBy: string;
  taskDefinition: string;
  lastStatus: 'PROVISIONING' | 'PENDING' | 'RUNNING' | 'DEACTIVATING' | 'STOPPED';
  desiredStatus: 'RUNNING' | 'STOPPED';
  health: 'UNKNOWN' | 'HEALTHY' | 'UNHEALTHY';
  containers: ContainerRecord[];
  createdAt: number;
  startedAt?: number;
  stoppingAt?: number;
  stoppedAt?: number;
  stopCode?: string;
  stoppedReason?: string;
  /** When the next change of state is due. */
  dueAt: number;
  running?: RunningTask;
  /** Its containers could not be started. */
  startFailed?: boolean;
  probe?: 'asked' | 'healthy';
}

export interface World {
  region: string;
  account: string;
  timings: Timings;
  behaviour: Behaviour;
  clusters: Map<string, { arn: string; createdAt: number }>;
  /** Family → revisions, oldest first. */
  taskDefinitions: Map<string, TaskDefinitionRecord[]>;
  /** `cluster/service`. */
  services: Map<string, ServiceRecord>;
  images: ImageStore;
  runner: ContainerRunner;
  calls: CallLog;
  /** Where EventBridge would send deployment events; absent: nowhere. */
  events?: EventTarget;
}

/** An API destination with a key in a header. */
export interface EventTarget {
  url: string;
  secret: string;
}

export const arn = (world: World, resource: string): string =>
  `arn:aws:ecs:${world.region}:${world.account}:${resource}`;

export const hexId = (): string => randomBytes(16).toString('hex');

/** 19 digits, as AWS numbers deployments and service revisions. */
export const digitsId = (): string =>
  String((randomBytes(8).readBigUInt64BE() % 9_000_000_000_000_000_000n) + 1_000_000_000_000_000_000n);

/** A name out of a name or an ARN. */
export const nameOf = (text: string | undefined, fallback = 'default'): string =>
  text?.split('/').at(-1) || fallback;

export const alive = (task: TaskRecord): boolean => task.lastStatus !== 'STOPPED';
export const wanted = (task: TaskRecord): boolean => task.desiredStatus === 'RUNNING' && alive(task);
export const serving = (task: TaskRecord): boolean => wanted(task) && task.health === 'HEALTHY';

export const tasksOf = (service: ServiceRecord, deployment: DeploymentRecord): TaskRecord[] =>
  service.tasks.filter((task) => task.startedBy === deployment.id);

export const primaryOf = (service: ServiceRecord): DeploymentRecord | undefined =>
  service.deployments.find((deployment) => deployment.status === 'PRIMARY');

export function addEvent(service: ServiceRecord, text: string, at = Date.now()): void {
  const message = `(service ${service.name}) ${text}`;
  service.events.unshift({ id: crypto.randomUUID(), createdAt: at, message });
  if (service.events.length > 2_000) service.events.length = 2_000;
}
