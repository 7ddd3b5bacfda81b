/** What an error of AWS means for an activity: decided by name and status, never by message. */
import type { ApplicationFailure } from '@temporalio/common';
import { isThrottling } from '../clients/aws-calls.js';
import { scrubber } from '../domain/scrub.js';
import { later, refuse } from './failure.js';

/** They end by themselves: an outage, or work of AWS that has to finish first. */
const PASSING = new Set([
  'InternalFailure',
  'InternalServerError',
  'InternalServerException',
  'RequestTimeout',
  'RequestTimeoutException',
  'ServerException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'TimeoutError',
  'UpdateInProgressException',
]);

/** Credentials that are not there or ran out: work goes on where it stood once there are new ones. */
const NO_CREDENTIALS = new Set([
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'ProviderError',
  'TokenProviderError',
]);

const DENIED = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'IncompleteSignature',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'NotAuthorized',
  'OptInRequired',
  'SignatureDoesNotMatch',
  'UnauthorizedException',
  'UnrecognizedClientException',
]);

const LONGEST_MESSAGE = 400;

interface AwsError {
  name?: unknown;
  message?: unknown;
  code?: unknown;
  cause?: unknown;
  $fault?: unknown;
  $metadata?: { httpStatusCode?: unknown };
}

const asAwsError = (error: unknown): AwsError => (typeof error === 'object' && error !== null ? error : {});

/** Error name as the SDK gives it; empty where it has none. */
export const awsErrorName = (error: unknown): string => {
  const { name } = asAwsError(error);
  return typeof name === 'string' ? name : '';
};

/**
 * The one that shares its name with errors that never mend (terraform-provider-aws#9777): only its words
 * tell it apart.
 */
const isRevisionRace = (name: string, operation: string, message: string): boolean =>
  name === 'ClientException' &&
  operation === 'RegisterTaskDefinition' &&
  message.startsWith('Too many concurrent attempts');

const NETWORK = /^(E[A-Z]{3,}|EAI_[A-Z]+|UND_ERR_[A-Z_]+|ERR_(TLS|SSL|STREAM)_[A-Z_]+|HPE_[A-Z_]+)$/;

/** No answer of AWS at all: refused, reset, timed out, not resolved. */
function isNetwork(error: AwsError, depth = 0): boolean {
  if (typeof error.code === 'string' && NETWORK.test(error.code)) return true;
  return error.cause !== undefined && depth < 5 && isNetwork(asAwsError(error.cause), depth + 1);
}

/**
 * @param operation the call, as AWS names it (`DescribeServices`)
 * @param hide values that AWS may quote and nobody may read (rule 7)
 * @returns retryable `AWS_DOWN` for throttling, outages and missing credentials; else final `AWS_REFUSED`
 *   with AWS's own words, scrubbed
 */
export function awsFailure(
  error: unknown,
  operation: string,
  hide: readonly string[] = [],
): ApplicationFailure {
  const aws = asAwsError(error);
  const passes = whyItPasses(aws, operation);
  if (passes !== undefined) return later('AWS_DOWN', `${operation}: ${passes}`);
  const name = awsErrorName(error);
  const shown = scrubber(hide)(wordsOf(aws)).slice(0, LONGEST_MESSAGE);
  if (DENIED.has(name)) {
    return refuse(
      'AWS_REFUSED',
      `${operation}: AWS denies it to this worker's role (${name}). ${shown}`.trim(),
    );
  }
  // No HTTP answer and no network code: an error of ours or the SDK's, which trying again will not mend.
  if (statusOf(aws) === undefined) {
    return refuse(
      'INTERNAL',
      `${operation} failed before it was sent (${name || 'unknown error'}). ${shown}`.trim(),
    );
  }
  return refuse('AWS_REFUSED', `${operation}: ${name || String(statusOf(aws))}. ${shown}`.trim());
}

/** @returns undefined where trying again will not help */
function whyItPasses(aws: AwsError, operation: string): string | undefined {
  const name = awsErrorName(aws);
  const status = statusOf(aws);
  const label = name || String(status);
  if (NO_CREDENTIALS.has(name)) {
    return 'the AWS credentials of this worker are missing or have expired. Give it new ones (AWS_PROFILE, AWS_ACCESS_KEY_ID, or a role)';
  }
  if (isThrottling(aws)) return `AWS throttles (${label})`;
  if (isRevisionRace(name, operation, wordsOf(aws)))
    return 'another revision of the family is being registered';
  if (PASSING.has(name) || (status !== undefined && status >= 500))
    return `AWS does not answer now (${label})`;
  if (isNetwork(aws)) return `AWS cannot be reached (${networkCode(aws)})`;
  if (name === 'SyntaxError' || name === 'AbortError') return 'the answer of AWS was cut short or is none';
  return undefined;
}

const wordsOf = ({ message }: AwsError): string => (typeof message === 'string' ? message : '');

function statusOf(aws: AwsError): number | undefined {
  const status = aws.$metadata?.httpStatusCode;
  return typeof status === 'number' ? status : undefined;
}

function networkCode(error: AwsError): string {
  if (typeof error.code === 'string') return error.code;
  return error.cause === undefined ? 'network' : networkCode(asAwsError(error.cause));
}
