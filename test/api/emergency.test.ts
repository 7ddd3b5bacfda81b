import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { emergencyToken } from '../../clients/emergency.js';
import { createIdentities } from '../../clients/identity.js';
import { deploymentWorkflowId } from '../../domain/ids.js';
import type { Notice } from '../../domain/messages.js';
import type { DeploymentView } from '../../domain/view.js';
import { eventually, script, scriptedWorkers } from '../support/scripted.js';
import type { TestTemporal } from '../support/temporal.js';
import { connect } from '../support/temporal.js';
import { harness } from './harness.js';
import type { Harness } from './harness.js';

const TOKEN = 'emergency-only-0123456789abcdefgh';
const notices: Notice[] = [];
let log = '';

let temporal: TestTemporal;
let workers: Awaited<ReturnType<typeof scriptedWorkers>>;
let api: Harness;

beforeAll(async () => {
  temporal = await connect();
  const deliver = async (notice: Notice): Promise<void> => void notices.push(notice);
  workers = await scriptedWorkers(temporal, { ...script(), deliver });
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      log += chunk.toString();
      done();
    },
  });
  const identities = createIdentities({
    ...{ org: 'acme', team: 'maintainers', token: 'ghp_sluice' },
    // Nothing listens there: GitHub is down.
    baseUrl: 'http://127.0.0.1:9',
    isEmergency: emergencyToken(TOKEN),
  });
  api = await harness({
    address: temporal.address,
    namespace: temporal.namespace,
    deps: { identities, logger: pino({ level: 'trace' }, stream) },
  });
});
afterAll(async () => {
  await api.close();
  await workers.stop();
  await temporal.close();
});

it('deploys with GitHub down, tells everyone, and stands nowhere', async () => {
  const wrong = await api.call({ url: '/api/me', as: 'ghp_somebody' });
  expect(wrong.status).toBe(503);
  const payload = { app: 'api', environment: 'staging', tag: 'v1', reason: 'GitHub is down' };
  const { status, body } = await api.call({ method: 'POST', url: '/api/deployments', payload, as: TOKEN });
  expect(status).toBe(202);
  const { id } = body as { id: string };
  await eventually(async () => {
    const shown = (await api.call({ url: `/api/deployments/${id}`, as: TOKEN })).body as DeploymentView;
    expect(shown).toMatchObject({ actor: 'emergency', outcome: 'succeeded' });
    expect(shown.warnings.map(({ code }) => code)).toContain('EMERGENCY');
  }, 20_000);
  await eventually(() => {
    const told = notices.filter(({ deployment }) => deployment.id === id);
    expect(told.map(({ change }) => change)).toContain('ended');
    for (const { deployment } of told) expect(JSON.stringify(deployment.warnings)).toContain('EMERGENCY');
  });

  const warned = log.split('\n').filter((line) => line.includes('SLUICE_EMERGENCY_TOKEN was used'));
  expect(warned.length).toBeGreaterThan(1);
  expect(JSON.parse(warned[0] ?? '')).toMatchObject({ level: 40, method: 'POST', route: '/api/deployments' });
  const history = await temporal.client.workflow.getHandle(deploymentWorkflowId(id)).fetchHistory();
  const kept = JSON.stringify(history).replaceAll(/"data":"([A-Za-z0-9+/=]+)"/g, (_all, data: string) =>
    Buffer.from(data, 'base64').toString('utf8'),
  );
  expect(kept.includes('"actor":"emergency"')).toBe(true);
  expect([log, kept].filter((text) => text.includes(TOKEN))).toEqual([]);
}, 60_000);
