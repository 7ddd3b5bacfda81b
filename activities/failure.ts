/** How an activity fails: always with a code of `domain/codes.ts` as its type, never with a foreign error. */
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { Code } from '../domain/codes.js';

/** It cannot mend by itself: no further attempt. `message` is for people and holds no secret. */
export const refuse = (code: Code, message: string, details?: Record<string, unknown>): ApplicationFailure =>
  ApplicationFailure.create({
    type: code,
    message,
    nonRetryable: true,
    ...(details ? { details: [details] } : {}),
  });

/**
 * It may mend by itself: tried again, after `afterMs` where given. Expected waits and outages are benign:
 * they alarm nobody, the code stands at the pending activity for people to read.
 */
export const later = (code: Code, message: string, afterMs?: number): ApplicationFailure =>
  ApplicationFailure.create({
    type: code,
    message,
    category: ApplicationFailureCategory.BENIGN,
    ...(afterMs === undefined ? {} : { nextRetryDelay: afterMs }),
  });
