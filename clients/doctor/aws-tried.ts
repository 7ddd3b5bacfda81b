/** A call of AWS that is only made to see whether it is permitted, and what its refusal means. */
import type { Report } from './report.js';
import { shortly } from './report.js';

export const POLICY = 'docs/setup.md has the policy that Sluice needs';
const DENIED = /AccessDenied|NotAuthorized|Unauthorized|OptInRequired/;
/** AWS does not know who asks, so it says nothing of permissions. */
const UNKNOWN_CALLER =
  /ExpiredToken|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature|UnrecognizedClient|InvalidClientTokenId|InvalidAccessKeyId|MissingAuthenticationToken/;
/** What permitted calls answer of things that are not there. */
const NOT_THERE = /NotFound|InvalidParameter|Validation|ClientException|LayerInaccessible/;
const NO_SUCH_CALL = /UnknownOperation|InvalidAction|NotImplemented|SerializationException/;

/** @returns undefined where it was refused or failed, which the report says */
export async function permitted<T>(
  report: Report,
  action: string,
  call: () => Promise<T>,
): Promise<T | undefined> {
  try {
    const answer = await call();
    report.ok(action);
    return answer;
  } catch (error) {
    explain(report, action, error);
    return undefined;
  }
}

/**
 * A read of something that is not there: who may read is told so, who may not is denied.
 * What an AWS of one's own does not know is left unchecked.
 */
export async function mayRead(report: Report, action: string, call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    const name = shortly(error);
    if (NO_SUCH_CALL.test(name)) {
      report.unchecked(action, `not tried: what answers for AWS here does not know it (${name})`);
      return;
    }
    if (!NOT_THERE.test(name)) {
      explain(report, action, error);
      return;
    }
  }
  report.ok(action);
}

export function explain(report: Report, action: string, error: unknown): void {
  const name = shortly(error);
  if (DENIED.test(name)) report.broken(action, `AWS denies it (${name})`, POLICY);
  else if (UNKNOWN_CALLER.test(name))
    report.broken(
      action,
      `AWS does not take the credentials (${name})`,
      'they are expired or wrong: sign in again (aws sso login), or set AWS_PROFILE, AWS_ACCESS_KEY_ID, ' +
        'AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN anew; a clock that is off does it, too',
    );
  else
    report.broken(
      action,
      `failed (${name})`,
      'check AWS_REGION, AWS_ENDPOINT_URL, and that AWS can be reached',
    );
}
