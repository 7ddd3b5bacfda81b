/** What `sluice doctor` makes of what AWS answers: to calls that the sandbox does not know, and to who it does not know. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAws } from '../../clients/aws.js';
import { checkAws } from '../../clients/doctor/aws.js';
import { SHOP_YAML } from '../support/shop.js';
import { parseConfig } from '../../domain/config/parse.js';

let server: Server | undefined;
beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIATEST');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});
afterEach(() => {
  vi.unstubAllEnvs();
  server?.closeAllConnections();
  server?.close();
});

const SERVICE_ARN = 'arn:aws:ecs:us-east-1:111122223333:service/staging-default/staging-api';
/** Of an account where everything is as it should be. */
const FINE: Record<string, object> = {
  GetAuthorizationToken: { authorizationData: [] },
  DescribeImages: { imageDetails: [] },
  BatchGetImage: { images: [] },
  GetDownloadUrlForLayer: { __type: 'LayersNotFoundException' },
  DescribeServices: {
    services: [
      {
        serviceArn: SERVICE_ARN,
        clusterArn: 'arn:aws:ecs:us-east-1:111122223333:cluster/staging-default',
        status: 'ACTIVE',
        deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
      },
    ],
  },
  DescribeTaskDefinition: { taskDefinition: { revision: 7, containerDefinitions: [{ name: 'django' }] } },
  ListTasks: { taskArns: [] },
  DescribeTasks: { tasks: [], failures: [{ reason: 'MISSING' }] },
  ListTaskDefinitions: { taskDefinitionArns: [] },
  ListServiceDeployments: { serviceDeployments: [] },
  DescribeServiceDeployments: { __type: 'InvalidParameterException' },
  DescribeServiceRevisions: { serviceRevisions: [], failures: [{ reason: 'MISSING' }] },
};

async function examine(answers: Record<string, object> | string) {
  const asked: { operation: string; body: Record<string, unknown> }[] = [];
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
      asked.push({ operation, body: JSON.parse(text || '{}') as Record<string, unknown> });
      const unknown = { __type: 'UnknownOperationException' };
      const answer = typeof answers === 'string' ? { __type: answers } : (answers[operation] ?? unknown);
      response.writeHead('__type' in answer ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${port}`);
  const parsed = parseConfig(SHOP_YAML, 'sluice.yaml');
  if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
  const { config } = parsed;
  const aws = createAws(config);
  try {
    const findings = await checkAws({ config, aws });
    const told = (state: string): string[] =>
      findings
        .filter((finding) => finding.state === state)
        .map(({ what, detail = '', hint = '' }) => `${what}: ${detail}${hint ? ` → ${hint}` : ''}`);
    return { told, asked };
  } finally {
    aws.destroy();
  }
}

const denied = { __type: 'AccessDeniedException' };

it('tries every read that Sluice makes, of things that are not there', async () => {
  const { told, asked } = await examine(FINE);
  const reads = told('ok').find((line) => line.startsWith('permissions to read')) ?? '';
  for (const action of [
    ...['ListTasks', 'DescribeTasks', 'ListTaskDefinitions', 'ListServiceDeployments'],
    ...['DescribeServiceDeployments', 'DescribeServiceRevisions'],
  ])
    expect(reads).toContain(`ecs:${action}`);
  expect(told('broken')).toEqual([]);
  const of = (operation: string) => asked.find((one) => one.operation === operation)?.body;
  const deployments = of('DescribeServiceDeployments')?.['serviceDeploymentArns'] as string[];
  expect(deployments[0]).toMatch(
    /^arn:aws:ecs:us-east-1:111122223333:service-deployment\/staging-default\/staging-api\/0{21}$/,
  );
  expect(of('GetDownloadUrlForLayer')?.['layerDigest']).toMatch(/^sha256:0{64}$/);
});

it('reads a deployment that is there by its own name', async () => {
  const serviceDeploymentArn = 'arn:aws:ecs:us-east-1:111122223333:service-deployment/a/b/one';
  const { asked } = await examine({
    ...FINE,
    ListServiceDeployments: { serviceDeployments: [{ serviceDeploymentArn }] },
  });
  expect(asked).toContainEqual({
    operation: 'DescribeServiceDeployments',
    body: { serviceDeploymentArns: [serviceDeploymentArn] },
  });
});

it.each(['DescribeTasks', 'DescribeServiceDeployments', 'DescribeServiceRevisions'])(
  'a role that may not call ecs:%s is told so',
  async (operation) => {
    const { told } = await examine({ ...FINE, [operation]: denied });
    expect(told('broken').join('\n')).toContain(`ecs:${operation}: AWS denies it (AccessDeniedException)`);
    expect(told('ok').join('\n')).not.toContain('permissions to read');
  },
);

it('a role that may not fetch layers is told so', async () => {
  const { told } = await examine({ ...FINE, GetDownloadUrlForLayer: denied });
  expect(told('broken').join('\n')).toMatch(/repository \S+: ecr:GetDownloadUrlForLayer: AWS denies it/);
});

it('a call that a stand-in for AWS does not know is left unchecked', async () => {
  const { DescribeServiceRevisions: _revisions, GetDownloadUrlForLayer: _layer, ...rest } = FINE;
  const { told } = await examine(rest);
  const unchecked = told('unchecked').join('\n');
  expect(unchecked).toContain('ecs:DescribeServiceRevisions: not tried');
  expect(unchecked).toContain('ecr:GetDownloadUrlForLayer: not tried');
  expect(told('ok').join('\n')).toMatch(/permissions to read: .*ecs:DescribeServiceDeployments$/m);
});

describe('credentials', () => {
  it.each([
    ...['ExpiredTokenException', 'ExpiredToken', 'InvalidSignatureException', 'SignatureDoesNotMatch'],
    ...['UnrecognizedClientException', 'InvalidClientTokenId'],
  ])('that AWS does not take (%s) are said to be expired or wrong', async (name) => {
    const { told } = await examine(name);
    expect(told('broken').length).toBeGreaterThan(0);
    for (const line of told('broken'))
      expect(line).toMatch(
        new RegExp(`AWS does not take the credentials \\(${name}\\) → they are expired or wrong`),
      );
  });
});
