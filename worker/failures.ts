/**
 * Rule 7 at the border: what leaves an activity as an error is a code with scrubbed text, without cause and
 * stack. A foreign error could carry a task definition's values, a token, or a password into history.
 */
import { CompleteAsyncError } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import type { Logger } from 'pino';
import { CODES, isCode } from '../domain/codes.js';
import { scrub } from '../domain/scrub.js';

export const createFailuresInterceptor = (log: Pick<Logger, 'error'>): ActivityInboundCallsInterceptor => ({
  async execute(input, next) {
    try {
      return await next(input);
    } catch (error) {
      if (isForeign(error)) log.error(traceOf(error), 'an activity failed with an error that is not ours');
      throw bordered(error);
    }
  },
});

const isControl = (error: unknown): boolean =>
  error instanceof CancelledFailure || error instanceof CompleteAsyncError;

const isForeign = (error: unknown): boolean =>
  !isControl(error) && !(error instanceof ApplicationFailure && isCode(error.type));

export function bordered(error: unknown): unknown {
  if (isControl(error)) return error;
  const failure =
    error instanceof ApplicationFailure && isCode(error.type)
      ? ApplicationFailure.create({
          type: error.type,
          message: scrub(error.message),
          nonRetryable: error.nonRetryable ?? false,
          details: error.details ?? [],
          nextRetryDelay: error.nextRetryDelay as number | undefined,
          ...(error.category ? { category: error.category } : {}),
        })
      : ApplicationFailure.create({ type: 'INTERNAL', message: `${CODES.INTERNAL.text}: ${nameOf(error)}` });
  failure.stack = '';
  return failure;
}

/** The class and the system's code, never the message: whose words those are is not known here. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? `${error.name} ${code}` : error.name;
}

/** Where it happened, for who mends it: frames only, since the stack begins with the message. */
const traceOf = (error: unknown): { error: string; frames: string[] } => ({
  error: nameOf(error),
  frames:
    error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [],
});
