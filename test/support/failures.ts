import { ApplicationFailure } from '@temporalio/common';

/** The failure with which an activity ends; throws where it ends otherwise. */
export async function failureOf(promise: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await promise.then(
    (value) => new Error(`no failure, but ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof ApplicationFailure) return error;
  throw error instanceof Error ? error : new Error(String(error));
}
