/** What is sent to go back or to deploy again, and what there is to go back to. */
import { Type } from 'typebox';
import { closed, Name, OptionalReason, Reason, Time } from './common.js';
import { Warning } from './deployments.js';

const optional = Type.Optional;
const text = Type.String();
const Tag = Type.String({ minLength: 1, maxLength: 128, description: 'Of the image set' });

export const NewRollback = Type.Object(
  {
    app: Name,
    environment: Name,
    tag: optional(Tag),
    reason: Reason,
    now: optional(Type.Boolean({ description: 'Stop what runs there' })),
    override: optional(Type.Boolean({ description: 'Pass the lock, or go back to what is marked bad' })),
  },
  { ...closed, description: 'Without `tag`: the last release verified there before the live one' },
);

export const NewRedeployment = Type.Object(
  { app: Name, environment: Name, tag: optional(Tag), reason: OptionalReason },
  { ...closed, description: 'Without `tag`: the release that the version endpoint reports' },
);

export const RollbackTarget = Type.Object(
  {
    tag: text,
    release: optional(text),
    verified: Type.Boolean({ description: 'It ran in this environment, and was seen to' }),
    at: optional(Time),
    by: optional(text),
    live: optional(Type.Boolean({ description: 'It runs there now: nothing to go back to' })),
    bad: optional(
      Type.Object({ reason: text, by: text, at: Time }, { ...closed, description: 'Needs override' }),
    ),
  },
  { ...closed, title: 'RollbackTarget' },
);

export const RollbackTargets = Type.Object(
  { items: Type.Array(RollbackTarget), warnings: Type.Array(Warning) },
  closed,
);
