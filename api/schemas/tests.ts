/** A promotion's tests, in the shape of `domain/promotion/promotion.ts`. */
import { Type } from 'typebox';
import { choice, closed, Time } from './common.js';

const text = Type.String();
const optional = Type.Optional;
const state = choice(['running', 'passed', 'failed', 'inconclusive']);

const Attempt = Type.Object(
  {
    attempt: Type.Integer({ minimum: 1 }),
    state,
    url: optional(text),
    detail: optional(text),
    startedAt: Time,
    finishedAt: optional(Time),
    others: optional(Type.Record(text, text)),
  },
  closed,
);

export const Tests = Type.Object(
  {
    state,
    url: optional(text),
    attempt: Type.Integer({ minimum: 1 }),
    attempts: Type.Array(Attempt, { description: 'Every one, oldest first' }),
  },
  closed,
);
