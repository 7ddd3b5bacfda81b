/** What runs where, and what its lane does. */
import { Type } from 'typebox';
import { KINDS } from '../../domain/deployment.js';
import { choice, closed, Reason, Time } from './common.js';
import { Lock, Warning } from './deployments.js';
import { PromotionSummary } from './promotions.js';

const text = Type.String();
const optional = Type.Optional;
const tasks = Type.Integer({ minimum: 0, description: 'Tasks; absent where AWS could not be read' });

const Ticket = Type.Object(
  {
    id: text,
    kind: choice(KINDS),
    tag: text,
    actor: text,
    queuedAt: Time,
    ready: Type.Boolean({ description: 'Its images are there' }),
    override: optional(Type.Boolean({ description: 'A rollback that passes the lock' })),
  },
  closed,
);

export const App = Type.Object(
  {
    app: text,
    environment: text,
    release: optional(text),
    tag: optional(text),
    revision: optional(text),
    since: optional(
      Type.String({ description: 'Since when it runs, ISO 8601; absent where Sluice did not deploy it' }),
    ),
    by: optional(text),
    desired: optional(tasks),
    running: optional(tasks),
    pending: optional(tasks),
    lane: Type.Object(
      {
        lock: optional(Lock),
        running: optional(Ticket),
        waiting: Type.Array(Ticket, { description: 'In order; the first 50' }),
        waitingCount: Type.Integer({ minimum: 0 }),
      },
      closed,
    ),
    promotion: optional(PromotionSummary),
    warnings: Type.Array(Warning),
    links: Type.Object(
      {
        version: optional(text),
        app: optional(text),
        logs: optional(text),
        runbook: optional(text),
        ecs: optional(text),
        temporal: optional(text),
      },
      closed,
    ),
  },
  { ...closed, title: 'App' },
);

export const NewLock = Type.Object({ reason: Reason }, closed);
