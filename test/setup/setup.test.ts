/** `sluice setup` against a real server, in namespaces that have nothing yet. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { msToTs } from '@temporalio/common/lib/time.js';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { setUp } from '../../cli/commands/setup.js';
import { run } from '../../cli/program.js';
import {
  ensureReconcileSchedule,
  readSchedule,
  RECONCILE_SCHEDULE_ID,
} from '../../clients/reconcile-schedule.js';
import { retentionDays } from '../../clients/retention.js';
import { missingSearchAttributes } from '../../clients/search-attributes.js';
import type { Temporal } from '../../clients/temporal.js';
import { createTemporal } from '../../clients/temporal.js';
import { temporalCli } from '../../sandbox/temporal/binaries.js';
import { eventually } from '../support/scripted.js';
import { SHOP_YAML } from '../support/shop.js';
import '../support/temporal-server.js';

let folder: string;
const open: Temporal[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-setup-'));
  await writeFile(join(folder, 'sluice.yaml'), SHOP_YAML);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(open.splice(0).map((one) => one.close()));
});
afterAll(() => rm(folder, { recursive: true }));

async function namespace(days = 1): Promise<Temporal> {
  const temporal = createTemporal({
    address: inject('temporalAddress'),
    namespace: `test-${randomBytes(6).toString('hex')}`,
  });
  open.push(temporal);
  await temporal.connection.workflowService.registerNamespace({
    namespace: temporal.namespace,
    workflowExecutionRetentionPeriod: msToTs(`${days} days`),
  });
  return temporal;
}

async function sluice(argv: string[], at: { namespace: string; config?: string }) {
  vi.stubEnv('TEMPORAL_ADDRESS', inject('temporalAddress'));
  vi.stubEnv('TEMPORAL_NAMESPACE', at.namespace);
  vi.stubEnv('SLUICE_CONFIG', join(folder, at.config ?? 'sluice.yaml'));
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    now: () => new Date(),
    interrupted: new AbortController().signal,
  };
  const code = await run(argv, process.env, io);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('sluice setup', () => {
  it('makes what is missing, says so, and changes nothing the second time', async () => {
    const temporal = await namespace();
    const first = await sluice(['setup'], temporal);
    expect(first.code).toBe(0);
    expect(first.out).toContain('✓ search attributes: added SluiceApp, SluiceEnvironment');
    expect(first.out).toContain('✓ retention: raised from 1 to 30 days');
    expect(first.out).toContain('✓ schedule of reconcile: created');
    expect(await missingSearchAttributes(temporal)).toEqual([]);
    expect(await retentionDays(temporal)).toBe(30);

    const second = await sluice(['setup', '--json'], temporal);
    expect(second.code).toBe(0);
    const { done } = JSON.parse(second.out) as { done: { what: string; detail: string }[] };
    expect(done.map(({ what, detail }) => `${what}: ${detail}`)).toEqual([
      `namespace: ${temporal.namespace}`,
      'search attributes: were there already',
      'retention: 30 days already',
      'schedule of reconcile: was there already',
    ]);
  });

  it('never lowers the retention', async () => {
    const temporal = await namespace(90);
    const { out } = await sluice(['setup', '--retention', '7'], temporal);
    expect(out).toContain('✓ retention: 90 days already');
    expect(await retentionDays(temporal)).toBe(90);
  });

  it('says what to run where there is no namespace', async () => {
    const { code, out } = await sluice(['setup'], { namespace: 'not-there' });
    expect(code).toBe(1);
    expect(out).toContain('✗ namespace: not-there cannot be read');
    expect(out).toContain('temporal operator namespace create --namespace not-there');
  });

  it.each([
    [
      'a configuration that is not there',
      ['setup'],
      'none.yaml',
      /There is no configuration at .*none\.yaml/,
    ],
    ['a wrong retention', ['setup', '--retention', 'long'], 'sluice.yaml', /--retention is "long"/],
  ])('refuses %s', async (_name, argv, config, words) => {
    const { code, err } = await sluice(argv, { namespace: 'default', config });
    expect(code).toBe(2);
    expect(err).toMatch(words);
  });
});

describe('where Temporal does not let it', () => {
  const denied = (): Promise<never> => Promise.reject(new Error('7 PERMISSION_DENIED: not yours'));

  /** Reads the namespace, and may do nothing else. */
  function powerless(temporal: Temporal): Temporal {
    const { connection, client } = temporal;
    const instead = <T extends object>(of: T, over: object): T =>
      new Proxy(of, {
        get: (target, name) =>
          Reflect.get(name in over ? over : target, name, name in over ? over : target) as unknown,
      });
    const workflowService = instead(connection.workflowService, { updateNamespace: denied });
    const operatorService = { listSearchAttributes: denied };
    return {
      ...temporal,
      connection: instead(connection, { workflowService, operatorService }),
      client: instead(client, { schedule: { create: denied } }),
    };
  }

  it('says of each step what to do', async () => {
    const temporal = await namespace();
    const [, ...steps] = await setUp(powerless(temporal), 30);
    expect(steps.map(({ what, state, detail }) => `${what} ${state}: ${detail}`)).toEqual([
      'search attributes broken: 7 PERMISSION_DENIED: not yours',
      'retention warning: 7 PERMISSION_DENIED: not yours',
      'schedule of reconcile broken: 7 PERMISSION_DENIED: not yours',
    ]);
    for (const { hint } of steps) expect(hint).toContain(`--namespace ${temporal.namespace}`);
  });

  it('the commands that it names do what it would have done', async () => {
    const temporal = await namespace();
    const steps = await setUp(powerless(temporal), 30);
    const cli = (await temporalCli()) ?? 'temporal';
    for (const { hint } of steps.slice(1)) {
      const [, args = ''] = /: temporal ([^;]*)/.exec(hint ?? '') ?? [];
      await promisify(execFile)(cli, [...args.split(' '), '--address', inject('temporalAddress')]);
    }
    await eventually(async () => expect(await missingSearchAttributes(temporal)).toEqual([]));
    expect(await retentionDays(temporal)).toBe(30);
    expect(await readSchedule(temporal)).toEqual({ asWanted: true, paused: false });
    const again = await sluice(['setup'], temporal);
    expect(again.out).toContain('✓ schedule of reconcile: was there already');
  });
});

describe('the schedule of reconcile', () => {
  const handle = ({ client }: Temporal) => client.schedule.getHandle(RECONCILE_SCHEDULE_ID);

  it('runs every three minutes, never twice at once', async () => {
    const temporal = await namespace();
    expect(await ensureReconcileSchedule(temporal)).toBe('created');
    const { spec, action, policies } = await handle(temporal).describe();
    expect(spec.intervals).toMatchObject([{ every: 180_000 }]);
    expect(action).toMatchObject({ workflowType: 'reconcile', workflowId: 'reconcile', taskQueue: 'sluice' });
    expect(policies.overlap).toBe('SKIP');
  });

  it('makes its first pass at once', async () => {
    const temporal = await namespace();
    await ensureReconcileSchedule(temporal);
    await eventually(async () =>
      expect((await handle(temporal).describe()).info.numActionsTaken).toBeGreaterThan(0),
    );
  });

  it('is made once by several that start at the same time', async () => {
    const temporal = await namespace();
    const made = await Promise.all(Array.from({ length: 5 }, () => ensureReconcileSchedule(temporal)));
    expect(made.filter((one) => one === 'created')).toHaveLength(1);
    expect(made.filter((one) => one === 'updated')).toHaveLength(0);
  });

  it('is mended where it was changed, and stays paused where a person paused it', async () => {
    const temporal = await namespace();
    await ensureReconcileSchedule(temporal);
    await handle(temporal).update((old) => ({
      ...old,
      spec: { intervals: [{ every: '1 day' }] },
      state: { paused: true, note: 'a person' },
    }));
    // The server carries a change out after it has answered.
    await eventually(async () =>
      expect(await handle(temporal).describe()).toMatchObject({
        spec: { intervals: [{ every: 86_400_000 }] },
        state: { paused: true },
      }),
    );
    expect(await ensureReconcileSchedule(temporal)).toBe('updated');
    await eventually(async () =>
      expect(await handle(temporal).describe()).toMatchObject({
        spec: { intervals: [{ every: 180_000 }] },
        state: { paused: true, note: 'a person' },
      }),
    );
  });
});
