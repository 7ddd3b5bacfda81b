/** What Prometheus reads of the real processes, and that documentation and example alerts name the same. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { freePort } from '../../sandbox/ports.js';
import type { Site } from './site.js';
import { API_STAGING, FRONTEND_STAGING, openSite, START_MS, until } from './site.js';

const text = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

let site: Site;
let workerUrl: string;
const scraped = { api: '', worker: '' };

beforeAll(async () => {
  site = await openSite();
  const port = await freePort();
  workerUrl = `http://127.0.0.1:${port}/metrics`;
  await site.start('worker', { WORKER_METRICS_ADDRESS: `127.0.0.1:${port}` });
  // The one that is read does all the work.
  await site.processes.worker.stop();
  await Promise.all([site.calm(API_STAGING), site.calm(FRONTEND_STAGING)]);
  site.aws.fault({ operation: 'ecs:DescribeServices', kind: 'throttle', times: 1 });
  await site.ended(await site.deploy(API_STAGING, { tag: site.images('api') }));
  const broken = site.images('frontend', { labels: { 'sandbox.exit': '3' } });
  await site.ended(await site.deploy(FRONTEND_STAGING, { tag: broken }));
  await site.ask('PUT', '/api/locks/production/api', { body: { reason: 'for the metrics' } });
  await site.deploy(FRONTEND_STAGING, { tag: site.images('frontend') });
  await site.ask('GET', '/api/apps');
  scraped.worker = await (await fetch(workerUrl)).text();
  scraped.api = (await site.ask('GET', '/metrics')).text;
}, 2 * START_MS);
afterAll(() => site?.close());

const valueOf = (part: keyof typeof scraped, series: string): number =>
  Number(
    scraped[part]
      .split('\n')
      .find((line) => line.startsWith(series))
      ?.split(' ')
      .at(-1) ?? NaN,
  );

describe('a worker', () => {
  it('counts deployments by outcome, and how long they took', () => {
    const ok = 'app="api",environment="staging",kind="deploy",outcome="succeeded"';
    const bad = 'app="frontend",environment="staging",kind="deploy",outcome="rolled-back"';
    expect(valueOf('worker', `sluice_deployments_ended_total{${ok}}`)).toBe(1);
    expect(valueOf('worker', `sluice_deployments_ended_total{${bad}}`)).toBe(1);
    expect(valueOf('worker', `sluice_deployment_duration_seconds_count{${ok}}`)).toBe(1);
    expect(valueOf('worker', `sluice_deployment_duration_seconds_sum{${ok}}`)).toBeGreaterThan(0);
    expect(valueOf('worker', 'sluice_deployment_wait_seconds_count{app="api"')).toBe(1);
  });

  it('shows what has not happened as 0, so that the first time is an increase', () => {
    const never = 'app="api",environment="production",kind="promotion",outcome="failed"';
    expect(valueOf('worker', `sluice_deployments_ended_total{${never}}`)).toBe(0);
    expect(scraped.api).toMatch(/^sluice_temporal_errors_total\{code="NO_WORKER"\} 0$/m);
  });

  it('counts calls of AWS, and throttled ones', () => {
    const calls = (operation: string, result: string) =>
      valueOf('worker', `sluice_aws_calls_total{operation="${operation}",result="${result}",service="ecs"}`);
    expect(calls('UpdateService', 'ok')).toBeGreaterThanOrEqual(2);
    expect(calls('DescribeServices', 'throttled')).toBe(1);
  });

  it('measures how soon the end of a rollout is seen', () => {
    expect(valueOf('worker', 'sluice_detection_seconds_count{by="watch"}')).toBe(2);
  });

  it('shows the SDK’s own beside them', () => {
    expect(scraped.worker).toContain('temporal_activity_schedule_to_start_latency_seconds_bucket');
    expect(scraped.worker).toContain('temporal_worker_task_slots_available');
  });
});

describe('the API', () => {
  it('shows what waits, runs and is locked', async () => {
    const lane = (name: string, of: string) => valueOf('api', `sluice_lane_${name}{${of}}`);
    expect(lane('locked', 'app="api",environment="production"')).toBe(1);
    expect(lane('locked', 'app="api",environment="staging"')).toBe(0);
    expect(lane('waiting', 'app="api",environment="staging"')).toBe(0);
    expect(valueOf('api', 'sluice_temporal_up')).toBe(1);
    const queued = await site.deploy({ ...API_STAGING, environment: 'staging' }, { tag: site.images('api') });
    const behind = await site.deploy(API_STAGING, { tag: site.images('api') });
    await until('a scrape that shows one that waits', async () => {
      scraped.api = (await site.ask('GET', '/metrics')).text;
      const state = (await site.read(behind)).state;
      return state !== 'queued' || lane('waiting', 'app="api",environment="staging"') === 1;
    });
    await Promise.all([site.ended(queued), site.ended(behind)]);
  });

  it('counts its own calls of AWS', () => {
    expect(scraped.api).toMatch(
      /sluice_aws_calls_total\{service="ecs",operation="DescribeServices",result="ok"\}/,
    );
  });
});

const NAME = /\b(?:sluice|temporal)_[a-z_]+/g;
/** Of a histogram, Prometheus shows three series. */
const base = (name: string): string => name.replace(/_(bucket|sum|count)$/, '');
const namesIn = (from: string, kind: RegExp): string[] =>
  [...new Set(from.match(NAME)?.filter((name) => kind.test(name)))].map(base);

describe('docs/metrics.md', () => {
  const documented = new Set(namesIn(text('docs/metrics.md'), /^sluice_/));

  it('names every metric of ours that is shown, and no other', () => {
    const shown = [
      ...scraped.api.matchAll(/^# TYPE (sluice_\w+)/gm),
      ...scraped.worker.matchAll(/^# TYPE (sluice_\w+)/gm),
    ];
    expect(new Set(shown.map(([, name]) => name))).toEqual(documented);
  });

  it('knows every metric that the example alerts stand on', () => {
    const { groups } = parse(text('deploy/alerts.yml')) as {
      groups: {
        rules: { alert: string; expr: string; annotations: { summary: string; description: string } }[];
      }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(8);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, expr, annotations } of rules) {
      expect(annotations.summary && annotations.description, alert).toBeTruthy();
      const all = new Set(namesIn(text('docs/metrics.md'), /./));
      for (const name of namesIn(expr, /./)) expect(all, alert).toContain(name);
    }
  });
});
