/** What is sent to ask what something would do, and what it would. */
import { Type } from 'typebox';
import type { Code } from '../../domain/codes.js';
import { CODES } from '../../domain/codes.js';
import { KINDS, STEPS } from '../../domain/deployment.js';
import { choice, closed, Name, OptionalReason } from './common.js';
import { ImageChanges, NameChanges, Warning } from './deployments.js';
import { Tests } from './tests.js';

const text = Type.String();
const optional = Type.Optional;

export const NewPlan = Type.Object(
  {
    kind: choice(KINDS),
    app: Name,
    environment: optional(Name),
    tag: optional(Type.String({ minLength: 1, maxLength: 128, description: 'Of the image set' })),
    commit: optional(Type.String({ pattern: '^[0-9a-f]{40}$', description: '40 hex, lower-case' })),
    release: optional(Type.String({ minLength: 1, maxLength: 128, description: 'Of a promotion' })),
    reason: OptionalReason,
    override: optional(Type.Boolean()),
    now: optional(Type.Boolean()),
    again: optional(Type.Boolean()),
  },
  {
    ...closed,
    description:
      'The body of a deployment, rollback, redeployment, release or approval, with `kind`; a reason is not needed',
  },
);

const Commit = Type.Object({ sha: text, title: text, author: optional(text) }, closed);

const Refusal = Type.Object(
  { step: choice(STEPS), code: choice(Object.keys(CODES) as Code[]), message: text },
  { ...closed, description: 'Why it would be refused, where what it would find out says so' },
);

export const Plan = Type.Object(
  {
    kind: choice(KINDS),
    app: text,
    environment: text,
    tag: optional(text),
    release: optional(Type.String({ description: 'What would run' })),
    before: optional(Type.String({ description: 'What runs, where Sluice deployed it' })),
    commits: Type.Array(Commit, { description: 'Between the two, newest first, at most 100' }),
    commitCount: Type.Integer({ minimum: 0 }),
    back: optional(Type.Boolean({ description: 'The commits would be taken out' })),
    images: ImageChanges,
    variables: NameChanges,
    secrets: NameChanges,
    warnings: Type.Array(Warning),
    refusal: optional(Refusal),
    tests: optional(Tests),
  },
  { ...closed, title: 'Plan' },
);
