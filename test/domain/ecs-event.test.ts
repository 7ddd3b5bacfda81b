import { describe, expect, it } from 'vitest';
import { ECS_DEPLOYMENT_EVENT, notNews, parseServiceArn, targetsOfService } from '../../domain/ecs-event.js';
import { config } from '../api/harness.js';

const ARN = 'arn:aws:ecs:us-east-1:123456789012:service';

describe('the ARN of a service', () => {
  it.each([
    [`${ARN}/staging-default/staging-api`, 'us-east-1', 'staging-default', 'staging-api'],
    [`${ARN}/staging-api`, 'us-east-1', undefined, 'staging-api'],
    ['arn:aws-us-gov:ecs:us-gov-west-1:123456789012:service/a/b', 'us-gov-west-1', 'a', 'b'],
  ])('%s', (arn, region, cluster, service) => {
    expect(parseServiceArn(arn)).toEqual({ region, service, ...(cluster ? { cluster } : {}) });
  });

  it.each([
    '',
    'staging-api',
    `${ARN}/`,
    `${ARN}/a/b/c`,
    'arn:aws:ecs:us-east-1:123456789012:task/staging-default/x',
    'arn:aws:s3:us-east-1:123456789012:service/a/b',
    'arn:aws:ecs:us-east-1:12:service/a/b',
  ])('is not %j', (arn) => expect(parseServiceArn(arn)).toBeUndefined());
});

describe('the services that an event means', () => {
  const found = (arn: string) => targetsOfService(config(), parseServiceArn(arn)!);

  it('is the one of that cluster and name', () => {
    expect(found(`${ARN}/staging-default/staging-api`)).toEqual([{ app: 'api', environment: 'staging' }]);
    expect(found(`${ARN}/staging-api`)).toEqual([{ app: 'api', environment: 'staging' }]);
  });

  it.each([
    `${ARN}/production-default/staging-api`,
    `${ARN}/staging-default/other`,
    'arn:aws:ecs:eu-west-1:123456789012:service/staging-default/staging-api',
  ])('is none for %s', (arn) => expect(found(arn)).toEqual([]));

  it('knows a service that is configured by its ARN', () => {
    const base = config();
    const service = { service: `${ARN}/staging-default/web`, template: 't', family: 'f' };
    const apps = { web: { ...base.apps['api']!, environments: { staging: service } } };
    const named = parseServiceArn(`${ARN}/staging-default/web`)!;
    expect(targetsOfService({ ...base, apps }, named)).toEqual([{ app: 'web', environment: 'staging' }]);
  });
});

describe('what is news', () => {
  const event = (change: object = {}, eventName = 'SERVICE_DEPLOYMENT_COMPLETED') => ({
    ...{ source: 'aws.ecs', 'detail-type': ECS_DEPLOYMENT_EVENT, resources: [] },
    detail: { eventName },
    ...change,
  });

  it.each(['SERVICE_DEPLOYMENT_COMPLETED', 'SERVICE_DEPLOYMENT_FAILED'])('%s is', (name) => {
    expect(notNews(event({}, name))).toBeUndefined();
  });

  it('a beginning is not, nor is anybody else’s event', () => {
    expect(notNews(event({}, 'SERVICE_DEPLOYMENT_IN_PROGRESS'))).toMatch(/watched already/);
    expect(notNews(event({ source: 'mine' }))).toMatch(/only "ECS Deployment State Change"/);
    expect(notNews(event({ 'detail-type': 'ECS Task State Change' }))).toMatch(/only/);
  });
});
