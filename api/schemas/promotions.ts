/** The promotion queue as it is sent, in the shape of `domain/promotion/promotion.ts`, and what is sent to it. */
import { Type } from 'typebox';
import { QUEUE_STATES, RESOLUTIONS, STAGES } from '../../domain/promotion/promotion.js';
import { choice, closed, Name, OptionalReason, Reason, Time } from './common.js';
import { Lock, WaitingFor } from './deployments.js';

const text = Type.String();
const optional = Type.Optional;
const count = Type.Integer({ minimum: 0 });
const Commit = Type.String({
  description: 'A commit; what was adopted may be anything that staging reports',
});

const Merge = Type.Object(
  {
    sha: text,
    title: text,
    author: text,
    pullRequest: optional(Type.Integer({ minimum: 1 })),
    mergedBy: optional(text),
    position: Type.Integer({ description: 'Place in the branch’s order' }),
  },
  closed,
);

const TestState = choice(['running', 'passed', 'failed', 'inconclusive']);

const TestAttempt = Type.Object(
  {
    attempt: Type.Integer({ minimum: 1 }),
    state: TestState,
    url: optional(text),
    detail: optional(text),
    startedAt: Time,
    finishedAt: optional(Time),
    others: optional(
      Type.Record(text, text, { description: 'Releases that the other apps’ staging ran meanwhile' }),
    ),
  },
  closed,
);

const Tests = Type.Object(
  {
    state: TestState,
    url: optional(text),
    attempt: Type.Integer({ minimum: 1, description: 'The latest one' }),
    attempts: Type.Array(TestAttempt, { description: 'Oldest first' }),
  },
  closed,
);

const Approval = Type.Object(
  {
    by: text,
    at: Time,
    release: text,
    digests: Type.Record(text, text, { description: 'Repository → digest' }),
    tests: Type.String({ description: 'The test run that it stands on' }),
    override: optional(Type.Boolean()),
    reason: optional(text),
  },
  closed,
);

export const Promotion = Type.Object(
  {
    id: Type.String({ description: '{app}.{release}' }),
    app: text,
    release: Commit,
    merges: Type.Array(Merge, { description: 'What it brings, its own merge last' }),
    position: optional(
      Type.Integer({ description: 'Of what was adopted: its place in the order of the branch' }),
    ),
    stage: choice(STAGES),
    failedStage: optional(choice(['staging', 'testing', 'production'])),
    failure: optional(Type.Object({ code: text, message: text }, closed)),
    carriedBy: optional(Type.String({ description: 'Id of the promotion that carries it' })),
    waitingFor: optional(WaitingFor),
    staging: optional(Type.String({ description: 'Id of the latest deployment to staging' })),
    tests: optional(Tests),
    approval: optional(Approval),
    production: optional(Type.String({ description: 'Id of the latest deployment to production' })),
    by: optional(Type.String({ description: 'Who adopted, rejected or cancelled it' })),
    reason: optional(text),
    queuedAt: Time,
    startedAt: optional(Time),
    stagedAt: optional(Time),
    testedAt: optional(Time),
    approvedAt: optional(Time),
    finishedAt: optional(Time),
  },
  { ...closed, title: 'Promotion' },
);

export const PromotionQueue = Type.Object(
  {
    app: text,
    policy: Type.Object(
      {
        queue: choice(['latest', 'every-merge', 'off']),
        approval: choice(['required', 'automatic']),
      },
      closed,
    ),
    state: choice(QUEUE_STATES),
    lock: optional(Lock),
    waitingFor: optional(WaitingFor),
    current: optional(Promotion),
    waiting: Type.Array(Promotion, { description: 'In the order of the branch; the first 50' }),
    waitingCount: count,
    recent: Type.Array(Promotion, { description: 'Ended ones, newest first; the last 20' }),
  },
  { ...closed, title: 'PromotionQueue' },
);

/** Of `GET /api/apps`. */
export const PromotionSummary = Type.Object(
  {
    state: choice(QUEUE_STATES),
    stage: optional(choice(STAGES, 'Of the current promotion, which may have failed or been rejected')),
    release: optional(text),
    waiting: Type.Integer({ minimum: 0, description: 'Merges that wait' }),
    waitingFor: optional(WaitingFor),
    lock: optional(Lock),
  },
  closed,
);

const Release = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'Exactly as the queue shows it',
});

export const Approve = Type.Object(
  {
    release: Release,
    override: optional(
      Type.Boolean({ description: 'Lifts RELEASE_BAD and PRODUCTION_MOVED; needs a reason' }),
    ),
    reason: OptionalReason,
  },
  closed,
);

export const Reject = Type.Object({ release: Release, reason: Reason }, closed);

export const Resolve = Type.Object({ choice: choice(RESOLUTIONS), reason: Reason }, closed);

export const TestReport = Type.Object(
  {
    release: Release,
    passed: Type.Boolean(),
    url: optional(
      Type.String({
        maxLength: 2_000,
        pattern: '^https?://[\\x21-\\x7e]+$',
        description: 'Where the run can be looked at',
      }),
    ),
  },
  closed,
);

export const AppParams = Type.Object({ app: Name }, closed);
