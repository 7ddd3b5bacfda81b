/** The deployment as it is sent, in the shape of `domain/deployment.ts`, and what is sent to make one. */
import type { Static } from 'typebox';
import { Type } from 'typebox';
import type { Code } from '../../domain/codes.js';
import { CODES } from '../../domain/codes.js';
import { KINDS, OUTCOMES, STEPS } from '../../domain/deployment.js';
import { choice, closed, Name, OptionalReason, Time } from './common.js';

const code = choice(Object.keys(CODES) as Code[]);
const count = Type.Integer({ minimum: 0 });
const text = Type.String();
const optional = Type.Optional;

const Step = Type.Object(
  {
    name: choice(STEPS),
    state: choice(['pending', 'running', 'done', 'failed', 'skipped']),
    startedAt: optional(Time),
    finishedAt: optional(Time),
    detail: optional(text),
  },
  closed,
);

const EcsEvent = Type.Object({ at: Time, message: text }, closed);

const counts = {
  desired: count,
  running: count,
  pending: count,
  failed: count,
  previousRunning: Type.Integer({ minimum: 0, description: 'Running tasks of all other deployments' }),
};

const Rollout = Type.Object({ ...counts, events: Type.Array(EcsEvent), updatedAt: Time }, closed);

const StoppedTasks = Type.Object(
  {
    reason: text,
    count,
    exitCodes: Type.Record(text, Type.Integer()),
    examples: Type.Array(text),
  },
  closed,
);

const Dossier = Type.Object(
  {
    events: Type.Array(EcsEvent),
    stoppedTasks: Type.Array(StoppedTasks),
    counts: optional(Type.Object({ ...counts, updatedAt: Time }, closed)),
    now: optional(text),
    lastLines: optional(
      Type.Array(Type.Object({ source: text, lines: Type.Array(text) }, closed), {
        description: 'Maintainers only, unless access.logs is public',
      }),
    ),
  },
  closed,
);

export const WaitingFor = Type.Object(
  { code, since: Time, detail: text, who: text, actions: Type.Array(text) },
  closed,
);

export const Lock = Type.Object(
  { reason: text, by: text, at: Time, code: optional(text) },
  { ...closed, title: 'Lock' },
);

const names = Type.Array(text);
export const NameChanges = Type.Object(
  { added: names, removed: names, changed: names },
  { ...closed, description: 'Names only' },
);

export const ImageChanges = Type.Array(
  Type.Object({ container: text, before: optional(text), after: text }, closed),
);

export const BuildProgress = Type.Object(
  { phase: text, image: optional(text), lines: optional(Type.Array(text)) },
  closed,
);

export const Warning = Type.Object({ code: text, message: text }, closed);

const DeploymentLinks = Type.Object(
  {
    self: text,
    stream: text,
    version: optional(text),
    app: optional(text),
    logs: optional(text),
    runbook: optional(text),
    ecs: optional(text),
    temporal: optional(text),
    github: optional(Type.String({ description: 'The commit that is deployed, where it is one' })),
  },
  closed,
);

export const Deployment = Type.Object(
  {
    id: text,
    app: text,
    environment: text,
    kind: choice(KINDS),
    tag: optional(text),
    commit: optional(text),
    release: optional(text),
    digests: optional(Type.Record(text, text)),
    actor: text,
    reason: optional(text),
    state: choice(['queued', 'running', 'finished']),
    outcome: optional(choice(OUTCOMES)),
    verified: optional(Type.Boolean()),
    step: optional(choice(STEPS)),
    steps: Type.Array(Step),
    waitingFor: optional(WaitingFor),
    warnings: Type.Array(Warning),
    revision: optional(text),
    images: optional(ImageChanges),
    variables: optional(NameChanges),
    secrets: optional(NameChanges),
    build: optional(BuildProgress),
    rollout: optional(Rollout),
    failure: optional(Type.Object({ step: choice(STEPS), code, message: text }, closed)),
    dossier: optional(Dossier),
    parent: optional(Type.Object({ type: text, id: text }, closed)),
    retryOf: optional(text),
    supersededBy: optional(text),
    position: optional(count),
    queuedAt: Time,
    startedAt: optional(Time),
    finishedAt: optional(Time),
    links: DeploymentLinks,
  },
  { ...closed, title: 'Deployment' },
);
export type Deployment = Static<typeof Deployment>;

export const NewDeployment = Type.Object(
  {
    app: Name,
    environment: Name,
    tag: optional(Type.String({ minLength: 1, maxLength: 128, description: 'Of the image set' })),
    commit: optional(
      Type.String({
        pattern: '^[0-9a-f]{40}$',
        description: '40 hex, lower-case; built where it is not there',
      }),
    ),
    reason: OptionalReason,
    override: optional(Type.Boolean()),
  },
  { ...closed, description: 'Exactly one of `tag` and `commit`' },
);
export type NewDeployment = Static<typeof NewDeployment>;

export const WithReason = Type.Object({ reason: OptionalReason }, closed);
export type WithReason = Static<typeof WithReason>;

export const AcceptedDeployment = Type.Object(
  {
    id: text,
    url: text,
    position: Type.Integer({ minimum: 0, description: 'How many go before it; 0: it runs now' }),
  },
  closed,
);

export const Stopped = Type.Object({ id: text }, closed);

export const DeploymentsQuery = Type.Object(
  {
    app: optional(Name),
    environment: optional(Name),
    kind: optional(choice(KINDS)),
    outcome: optional(choice(OUTCOMES)),
    actor: optional(Type.String({ minLength: 1, maxLength: 128 })),
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
    cursor: optional(Type.String({ minLength: 1, maxLength: 4_096 })),
  },
  closed,
);
