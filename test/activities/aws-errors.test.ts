import { describe, expect, it } from 'vitest';
import { awsFailure } from '../../activities/aws-errors.js';
import { isThrottling } from '../../clients/aws-calls.js';

const error = (name: string, given: object = {}): Error =>
  Object.assign(
    new Error('words of AWS'),
    { name, $fault: 'client', $metadata: { httpStatusCode: 400 } },
    given,
  );

const judged = (reason: unknown, operation = 'DescribeServices'): [string, boolean] => {
  const { type, nonRetryable } = awsFailure(reason, operation);
  return [type ?? '', nonRetryable ?? false];
};

describe('awsFailure', () => {
  it.each([
    error('ThrottlingException'),
    error('TooManyRequestsException'),
    error('Anything', { $metadata: { httpStatusCode: 429 } }),
    error('ServerException'),
    error('ServiceUnavailableException'),
    error('Unknown', { $metadata: { httpStatusCode: 503 } }),
    error('UpdateInProgressException'),
    error('TimeoutError', { $metadata: undefined }),
    error('Error', { code: 'ECONNRESET', $metadata: {} }),
    error('Error', { code: 'ENOTFOUND', $metadata: undefined }),
    Object.assign(new TypeError('fetch failed'), { cause: { code: 'UND_ERR_SOCKET' } }),
    error('AggregateError', { code: 'ECONNREFUSED', $metadata: { attempts: 1 } }),
    error('SyntaxError', { $metadata: { httpStatusCode: 200 } }),
    error('CredentialsProviderError', { $metadata: undefined }),
    error('ExpiredTokenException'),
  ])('tries again after $name', (reason) => {
    expect(judged(reason)).toEqual(['AWS_DOWN', false]);
  });

  it.each([
    'InvalidParameterException',
    'ClientException',
    'AccessDeniedException',
    'ClusterNotFoundException',
    'ServiceNotFoundException',
    'ServiceNotActiveException',
    'PlatformTaskDefinitionIncompatibilityException',
    'UnrecognizedClientException',
  ])('gives up at %s', (name) => {
    expect(judged(error(name))).toEqual(['AWS_REFUSED', true]);
  });

  it('tries a race for a revision again, though it has the name of errors that never mend', () => {
    const race = error('ClientException', {
      message: 'Too many concurrent attempts to create a new revision of the specified family.',
    });
    expect(judged(race, 'RegisterTaskDefinition')).toEqual(['AWS_DOWN', false]);
    expect(judged(race, 'UpdateService')).toEqual(['AWS_REFUSED', true]);
  });

  it('says which call, in AWS’s words, without what nobody may read', () => {
    const denied = error('AccessDeniedException', {
      message: 'not authorized to perform: ecs:UpdateService with s3cr3tvalue',
    });
    const failure = awsFailure(denied, 'UpdateService', ['s3cr3tvalue']);
    expect(failure.message).toContain('UpdateService');
    expect(failure.message).toContain('not authorized to perform: ecs:UpdateService');
    expect(JSON.stringify(failure)).not.toContain('s3cr3tvalue');
    expect(failure.cause).toBeUndefined();
  });

  it('says what to do where there are no credentials', () => {
    expect(awsFailure(error('CredentialsProviderError'), 'DescribeServices').message).toContain(
      'AWS_PROFILE',
    );
  });

  it('takes whatever is thrown', () => {
    for (const reason of [undefined, null, 'text', 7, {}, new TypeError('x')]) {
      expect(judged(reason)).toEqual(['INTERNAL', true]);
    }
  });

  it('knows throttling apart', () => {
    expect(isThrottling(error('ThrottlingException'))).toBe(true);
    expect(isThrottling(error('ServerException'))).toBe(false);
  });
});
