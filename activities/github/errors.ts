/** What GitHub's refusals mean for an activity: decided by status, headers and fields, never by message. */
import { RequestError } from '@octokit/request-error';
import type { ApplicationFailure } from '@temporalio/common';
import { CredentialsError, troubleOf } from '../../clients/github.js';
import { scrub } from '../../domain/scrub.js';
import { later, refuse } from '../failure.js';

export interface Doing {
  /** What was asked, as it goes on after "GitHub answers 403 to": `creating the Release api-2026.01.02.03.04.05`. */
  what: string;
  /** What the credentials need for it: `Contents: write`. */
  needs: string;
  /** For messages: which credentials they are. */
  as: string;
  /** It changes something: where the answer was lost, it may have happened. */
  write?: boolean;
}

/** Who runs Sluice has to act first: asking more often brings nothing. */
const REFUSED_MS = 60_000;
/** After a write whose answer was lost: what GitHub still carries out is there by then. It ends requests at 10 s. */
export const SETTLE_MS = 5_000;
const LONGEST = 300;

/** They may mend by themselves: a conflict with another write, a locked resource. */
const PASSING = new Set([409, 423, 425]);

/**
 * Retryable `GITHUB_DOWN` (after what GitHub says), `GITHUB_REFUSED` (what the credentials lack) and, for a
 * conflict, `GITHUB_FAILED`; `GITHUB_FAILED` for good where asking again cannot mend it.
 */
export function githubFailure(error: unknown, { what, needs, as, write }: Doing): ApplicationFailure {
  const trouble = troubleOf(error, Date.now());
  if (trouble.kind === 'down') {
    const afterMs = Math.max(trouble.afterMs ?? 0, write ? SETTLE_MS : 0);
    return later('GITHUB_DOWN', `${trouble.message}; ${what} is tried again`, afterMs || undefined);
  }
  if (error instanceof CredentialsError) return later('GITHUB_REFUSED', trouble.message, REFUSED_MS);
  const { status } = trouble;
  if (status === 401) {
    return later(
      'GITHUB_REFUSED',
      `GitHub answers 401 to ${what}: Sluice’s own ${as} is not valid; set a valid one`,
      REFUSED_MS,
    );
  }
  if (status === 403) {
    const text = `GitHub answers 403 to ${what}: give Sluice’s own ${as} the permission “${needs}”`;
    return later('GITHUB_REFUSED', text + said(error), REFUSED_MS);
  }
  const text = `GitHub answers ${status} to ${what}${said(error)}`;
  // It is there, and a moment ago it was not to be found: GitHub's reads lag behind its writes.
  if (PASSING.has(status) || hasErrorCode(error, 'already_exists'))
    return later('GITHUB_FAILED', text, SETTLE_MS);
  const hint = status === 404 ? `: there is no such thing, or ${as} lacks “${needs}”` : '';
  return refuse('GITHUB_FAILED', text + hint);
}

/** Whether GitHub refused this very question with one of these; a rate limit's 403 is none. */
export function hasStatus(error: unknown, ...statuses: number[]): boolean {
  if (error instanceof CredentialsError) return false;
  const trouble = troubleOf(error, Date.now());
  return trouble.kind === 'refused' && statuses.includes(trouble.status);
}

function hasErrorCode(error: unknown, code: string): boolean {
  const data: unknown = error instanceof RequestError ? error.response?.data : undefined;
  const errors = (data as { errors?: unknown } | undefined)?.errors;
  return Array.isArray(errors) && errors.some((each) => (each as { code?: unknown } | null)?.code === code);
}

/** GitHub's own words, for people. */
function said(error: unknown): string {
  const data: unknown = error instanceof RequestError ? error.response?.data : undefined;
  if (typeof data !== 'object' || data === null) return '';
  const { message, errors } = data as { message?: unknown; errors?: unknown };
  const parts = [message, ...(Array.isArray(errors) ? errors.map(detailOf) : [])];
  const words = parts.filter((part): part is string => typeof part === 'string' && part !== '');
  return words.length === 0 ? '' : ` (${scrub(words.join('; ').replace(/\s+/g, ' ').slice(0, LONGEST))})`;
}

function detailOf(detail: unknown): string | undefined {
  if (typeof detail === 'string') return detail;
  if (typeof detail !== 'object' || detail === null) return undefined;
  const { message, field, code } = detail as Record<string, unknown>;
  if (typeof message === 'string') return message;
  return [field, code].filter((part) => typeof part === 'string').join(' ');
}
