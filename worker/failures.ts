/**
 * Rule 7 at the border: what leaves an activity as an error is a code with scrubbed text, without cause and
 * stack. A foreign error could carry a task definition's values, a token, or a password into history.
 */
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { CompleteAsyncError } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { CODES, isCode } from '../domain/codes.js';
import { scrub } from '../domain/scrub.js';

export const failuresInterceptor: ActivityInboundCallsInterceptor = {
  async execute(input, next) {
    try {
      return await next(input);
    } catch (error) {
      throw bordered(error);
    }
  },
};

export function bordered(error: unknown): unknown {
  if (error instanceof CancelledFailure || error instanceof CompleteAsyncError) return error;
  const known = error instanceof ApplicationFailure && isCode(error.type);
  const failure = known
    ? ApplicationFailure.create({
        type: error.type,
        message: scrub(error.message),
        nonRetryable: error.nonRetryable ?? false,
        details: error.details ?? [],
        nextRetryDelay: error.nextRetryDelay,
        category: error.category ?? undefined,
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
