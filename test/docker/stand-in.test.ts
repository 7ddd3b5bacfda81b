/** The stand-in with real containers, of images that `docker push` brought to its registry. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startAwsStandIn } from '../../sandbox/aws/index.js';
import type { AwsStandIn } from '../../sandbox/aws/index.js';
import { buildAndPush } from '../contract/emulators.js';
import type { Emulator } from '../contract/emulators.js';
import { CLUSTER, primary, readUntil, register, settledOn, tasks, update } from '../contract/rollouts.js';
import { connect } from '../sandbox/aws-support.js';

const run = promisify(execFile);
const ref = { cluster: CLUSTER, service: 'api' };
let aws: AwsStandIn;
let emulator: Emulator;

beforeAll(async () => {
  aws = await startAwsStandIn({ docker: true, seed: { repositories: ['api'] } });
  emulator = connect(aws);
});
afterAll(() => emulator?.close());

it('rolls out real containers, rolls broken ones back, and leaves none behind', async () => {
  const definitions: string[] = [];
  for (const [tag, exit] of [['v1'], ['v2'], ['broken', 3]] as const) {
    const reference = `${aws.registry}/api:${tag}`;
    const digest = await buildAndPush(reference, { repository: 'api', tag, release: tag, exit });
    definitions.push(await register(emulator, { family: 'api', image: `${reference}@${digest}` }));
  }
  const [v1 = '', v2 = '', broken = ''] = definitions;
  const version = async (): Promise<unknown> => (await fetch(`${aws.serviceUrl(ref)}/version.json`)).json();
  aws.service({ ...ref, taskDefinition: v1 });
  await readUntil(emulator, 'api', settledOn(v1));
  expect(await version()).toEqual({ release: 'v1' });
  await update(emulator, 'api', v2);
  await readUntil(emulator, 'api', settledOn(v2));
  expect(await version()).toEqual({ release: 'v2' });
  const ours = primary(await update(emulator, 'api', broken))?.id;
  await readUntil(emulator, 'api', (service) => primary(service)?.id !== ours && settledOn(v2)(service));
  expect(await version()).toEqual({ release: 'v2' });
  const dead = (await tasks(emulator, 'api', 'STOPPED')).filter((task) => task.taskDefinitionArn === broken);
  expect(dead.map((task) => task.containers?.[0]?.exitCode)).toContain(3);
  const names = (await tasks(emulator, 'api', 'RUNNING')).map((task) =>
    task.taskArn?.split('/').at(-1)?.slice(0, 12),
  );
  await emulator.close();
  const { stdout } = await run('docker', ['ps', '-a', '--format', '{{.Names}}']);
  expect(names.filter((name) => name && stdout.includes(name))).toEqual([]);
}, 120_000);
