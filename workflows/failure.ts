/** Reads an activity's failure by its code, never by its message. */
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import type { Code } from '../domain/codes.js';
import { CODES, isCode } from '../domain/codes.js';

export interface CodedFailure {
  code: Code;
  message: string;
  details?: Record<string, unknown>;
}

/** A failure of an activity as a code; anything that is not an activity's failure is thrown on. */
export function codedFailure(error: unknown): CodedFailure {
  if (!(error instanceof ActivityFailure)) throw error;
  const { cause } = error;
  if (cause instanceof ApplicationFailure && isCode(cause.type)) {
    const details = cause.details?.[0] as Record<string, unknown> | undefined;
    return { code: cause.type, message: cause.message, ...(details ? { details } : {}) };
  }
  if (cause instanceof TimeoutFailure) {
    const last = cause.cause;
    if (last instanceof ApplicationFailure && isCode(last.type)) {
      return { code: last.type, message: `${last.message} (given up after many attempts)` };
    }
    return { code: 'TIMED_OUT', message: `${error.activityType} did not end in time` };
  }
  return { code: 'INTERNAL', message: `${CODES.INTERNAL.text}, in ${error.activityType}` };
}

/** For a log: an activity's failure says itself only that an activity failed. */
export const wordsOf = (error: unknown): string =>
  error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
