/** The published release as it is sent, in the shape of `domain/release/release.ts`, and what is sent to make one. */
import { Type } from 'typebox';
import type { Code } from '../../domain/codes.js';
import { CODES } from '../../domain/codes.js';
import { RELEASE_OUTCOMES, RELEASE_STEPS } from '../../domain/release/release.js';
import { choice, closed, Name, OptionalReason, Time } from './common.js';
import { WaitingFor, Warning } from './deployments.js';

const code = choice(Object.keys(CODES) as Code[]);
const text = Type.String();
const optional = Type.Optional;

const names = {
  date: Type.String({ description: 'YYYY.MM.DD.HH.MM.SS, UTC' }),
  gitTag: Type.String({ description: '{app}-{date}' }),
  imageTag: Type.String({ description: 'rel-{date}' }),
};

const Step = Type.Object(
  {
    name: choice(RELEASE_STEPS),
    state: choice(['pending', 'running', 'done', 'failed', 'skipped']),
    startedAt: optional(Time),
    finishedAt: optional(Time),
    detail: optional(text),
  },
  closed,
);

const Blocked = Type.Object(
  { step: choice(RELEASE_STEPS), code, message: text, actions: Type.Array(text) },
  closed,
);

const Failure = Type.Object(
  {
    step: choice(RELEASE_STEPS),
    code,
    message: text,
    exists: Type.Array(text, { description: 'What was made before it ended' }),
  },
  closed,
);

const Links = Type.Object(
  {
    self: text,
    deployment: optional(text),
    release: optional(text),
    pullRequest: optional(text),
    runbook: optional(text),
    temporal: optional(text),
  },
  closed,
);

export const Release = Type.Object(
  {
    id: Type.String({ description: '= gitTag' }),
    app: text,
    ...names,
    tag: text,
    actor: text,
    reason: optional(text),
    state: choice(['running', 'blocked', 'finished']),
    outcome: optional(choice(RELEASE_OUTCOMES)),
    steps: Type.Array(Step),
    waitingFor: optional(WaitingFor),
    blocked: optional(Blocked),
    failure: optional(Failure),
    release: optional(Type.String({ description: 'The commit that the images hold' })),
    digests: optional(Type.Record(text, text)),
    first: optional(Type.String({ description: 'The release that these images had before' })),
    retries: optional(Type.Integer({ minimum: 0 })),
    deployment: optional(Type.String({ description: 'Id of the deployment, of the latest attempt' })),
    publishedAt: optional(Time),
    releaseUrl: optional(text),
    pullRequest: optional(text),
    warnings: Type.Array(Warning),
    requestedAt: Time,
    startedAt: optional(Time),
    finishedAt: optional(Time),
    links: Links,
  },
  { ...closed, title: 'Release' },
);

const Tag = Type.String({ minLength: 1, maxLength: 128, description: 'Of the image set' });

export const NewRelease = Type.Object(
  {
    app: Name,
    tag: Tag,
    again: optional(Type.Boolean({ description: 'Release the same image once more' })),
    override: optional(Type.Boolean({ description: 'Release what is marked bad; needs a reason' })),
    reason: OptionalReason,
  },
  closed,
);

export const AcceptedRelease = Type.Object({ id: text, ...names, url: text }, closed);

export const ReleasesQuery = Type.Object(
  {
    app: optional(Name),
    outcome: optional(choice(RELEASE_OUTCOMES)),
    actor: optional(Type.String({ minLength: 1, maxLength: 128 })),
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
    cursor: optional(Type.String({ minLength: 1, maxLength: 4_096 })),
  },
  closed,
);

export const ReleaseParams = Type.Object(
  { id: Type.String({ minLength: 1, maxLength: 200, description: '{app}-{date}' }) },
  closed,
);

export const RetryRelease = Type.Object(
  { reason: OptionalReason, override: optional(Type.Boolean()) },
  closed,
);

export const Told = Type.Object({ id: text }, closed);
