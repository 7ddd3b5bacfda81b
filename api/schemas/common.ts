/** Parts that several routes' schemas share. What is not listed is refused. */
import type { TSchema } from 'typebox';
import { Type } from 'typebox';
import type { Code } from '../../domain/codes.js';
import { CODES } from '../../domain/codes.js';

export const closed = { additionalProperties: false } as const;

/** One of a list of words. */
export const choice = <T extends string>(values: readonly T[], description?: string) =>
  Type.Unsafe<T>({ type: 'string', enum: [...values], ...(description ? { description } : {}) });

export const Time = Type.String({ description: 'ISO 8601, UTC' });

export const Name = Type.String({ minLength: 1, maxLength: 63 });

export const Reason = Type.String({ minLength: 1, maxLength: 10_000, description: 'In plain words' });

export const OptionalReason = Type.Optional(Reason);

export const ErrorBody = Type.Object(
  {
    error: Type.Object(
      {
        code: choice(Object.keys(CODES) as Code[], 'From the closed list of codes'),
        message: Type.String({ description: 'For people: what is wrong and what to do' }),
        details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      },
      closed,
    ),
  },
  { ...closed, title: 'Error', description: 'Every 4xx and 5xx' },
);

/** Errors of every route; the status says which kind, the code which one. */
export const errors = { '4xx': ErrorBody, '5xx': ErrorBody } as const;

/** A response that is text of another kind than JSON. */
export const sentAs = (type: string, description: string) => ({
  description,
  content: { [type]: { schema: Type.String() } },
});

export const idempotent = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      pattern: '^[\\x21-\\x7e](?:[\\x20-\\x7e]*[\\x21-\\x7e])?$',
      description: 'Makes it safe to send the same request again, for at least 24 hours',
    }),
  ),
});

export const TargetParams = Type.Object({ environment: Name, app: Name }, closed);

export const IdParams = Type.Object(
  { id: Type.String({ minLength: 1, maxLength: 200, description: '{environment}.{app}.{unique}' }) },
  closed,
);

/** `{ items, cursor? }`, as every list. */
export const listOf = <T extends TSchema>(item: T) =>
  Type.Object(
    {
      items: Type.Array(item),
      cursor: Type.Optional(Type.String({ description: 'Ask again with it for more' })),
    },
    closed,
  );
