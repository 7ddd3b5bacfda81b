/**
 * Rule 7: a marker stands in a template's environment, and everybody's tokens are known. After a success, a
 * rollback, a stop, a failed build and an error of AWS that quotes what it refuses, none of them is found in any
 * history, heartbeat, memo, answer, stream, metric or log.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DescribeTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REGISTRY_PASSWORD } from '../../sandbox/aws/index.js';
import { AWS_KEYS, PEOPLE } from '../../sandbox/settings.js';
import type { Site } from './site.js';
import { API_STAGING, openSite, refOf, START_MS, until } from './site.js';
import { textOf } from './texts.js';

const MARKER = 'markerInATemplate7c1f0e';
const LANE = API_STAGING;
const base64 = (text: string): string => Buffer.from(text).toString('base64').replaceAll('=', '');
const SECRETS = [
  ...[MARKER, REGISTRY_PASSWORD, AWS_KEYS.secret, base64(MARKER), base64(`AWS:${REGISTRY_PASSWORD}`)],
  ...Object.values(PEOPLE).map(({ token }) => token),
];

let site: Site;
/** Everything that was seen, by where. */
const seen: Record<'heartbeats and memos' | 'streams' | 'histories' | 'answers' | 'logs', string> = {
  ...{ 'heartbeats and memos': '', streams: '', histories: '', answers: '', logs: '' },
};

async function lookAt(workflowId: string): Promise<void> {
  const { raw } = await site.client.workflow.getHandle(workflowId).describe();
  seen['heartbeats and memos'] += textOf(raw);
}

/** Follows by server-sent events, and looks at what Temporal holds meanwhile. */
async function follow(id: string): Promise<string | undefined> {
  const streamed = site.ask('GET', `/api/deployments/${id}/stream`);
  const workflows = [`deployment/${id.replaceAll('.', '/')}`, `lane/${LANE.environment}/${LANE.app}`];
  const { outcome } = await until(`${id} ends`, async () => {
    for (const workflow of workflows) await lookAt(workflow);
    const view = await site.read(id);
    if (view.commit) await lookAt(`build/${LANE.app}/${view.commit}`).catch(() => undefined);
    return view.state === 'finished' && view;
  });
  seen.streams += (await streamed).text;
  return outcome;
}

beforeAll(async () => {
  site = await openSite();
  const { aws, sample } = site;
  await site.calm(LANE);
  const environment = [
    { name: 'DATABASE_PASSWORD', value: MARKER },
    { name: 'ENVIRONMENT', value: 'staging' },
  ];
  const image = (repository: string): string => `${aws.registry}/${repository}:before-sluice`;
  const portMappings = [{ containerPort: 8080, hostPort: 0 }];
  aws.taskDefinition({
    family: 'staging-api-template',
    containerDefinitions: [
      { name: 'django', image: image('openverse-api'), environment, portMappings },
      { name: 'nginx', image: image('openverse-api_nginx'), environment, portMappings },
    ],
  });

  const outcomes: (string | undefined)[] = [];
  const run = async (what: { tag: string } | { commit: string }): Promise<void> => {
    outcomes.push(await follow(await site.deploy(LANE, what)));
  };
  await run({ commit: sample.commits.good.at(-1) ?? '' });
  await run({ tag: site.images('api', { labels: { 'sandbox.exit': '1' } }) });
  await run({ commit: sample.commits.broken.build });
  aws.fault({
    ...{ operation: 'ecs:RegisterTaskDefinition', kind: 'deny', times: 1 },
    message: `Invalid environment: DATABASE_PASSWORD=${MARKER}; also ${MARKER}`,
  });
  await run({ tag: site.images('api') });
  aws.fault({
    operation: 'ecr:BatchGetImage',
    kind: 'deny',
    times: 1,
    message: `token ${PEOPLE.sluice.token}`,
  });
  await run({ tag: site.images('api') });
  aws.behave({ ...refOf(LANE), behaviour: { frozen: true } });
  const id = await site.deploy(LANE, { tag: site.images('api') });
  const followed = follow(id);
  await site.watched(id);
  await site.stopIt(id);
  aws.behave({ ...refOf(LANE), behaviour: { frozen: false } });
  outcomes.push(await followed);
  expect(outcomes).toEqual(['succeeded', 'rolled-back', 'failed', 'failed', 'failed', 'stopped']);

  for (const path of ['/metrics', '/api/apps', '/api/deployments', '/api/me', '/openapi.json']) {
    await site.ask('GET', path);
  }
  await site.ask('GET', '/api/deployments', { as: 'mallory' });
  await site.ask('POST', '/api/deployments', { body: { app: 'api', token: 'x' } });

  for await (const { workflowId, runId } of site.client.workflow.list()) {
    seen.histories += textOf(await site.client.workflow.getHandle(workflowId, runId).fetchHistory());
  }
  seen.answers = site.answers.join('\n');
  const logs = join(site.directory, 'logs');
  for (const name of await readdir(logs)) seen.logs += await readFile(join(logs, name), 'utf8');
}, START_MS + 60_000);
afterAll(() => site?.close());

describe('no secret', () => {
  it.each(Object.keys(seen) as (keyof typeof seen)[])('in %s', (place) => {
    const found = SECRETS.filter((secret) => seen[place].includes(secret));
    expect(found, place).toEqual([]);
  });

  it('although the search finds what is no secret, everywhere', () => {
    const tag = site.sample.commits.good.at(-1) ?? '';
    for (const place of ['heartbeats and memos', 'streams', 'histories', 'answers'] as const) {
      expect(seen[place], place).toContain(tag);
    }
    // Of a variable, its name; of AWS's error, its words.
    expect(seen.histories).toContain('DATABASE_PASSWORD');
    expect(seen.answers).toContain('DATABASE_PASSWORD');
    expect(seen.answers).toContain('AccessDeniedException');
    expect(seen['heartbeats and memos']).toContain('has started 2 tasks');
    expect(seen.logs).toContain('staging.api.');
  });

  it('because it did reach the container that it is for', async () => {
    const { revision } = site.aws.standing(refOf(LANE));
    const { taskDefinition } = await site.ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: revision }),
    );
    const [django] = taskDefinition?.containerDefinitions ?? [];
    expect(django?.environment).toContainEqual({ name: 'DATABASE_PASSWORD', value: MARKER });
  });
});
