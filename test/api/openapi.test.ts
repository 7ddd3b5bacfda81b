import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Context } from '../../api/context.js';
import { sourcesOf } from '../../api/feed-sources.js';
import { harness } from './harness.js';
import type { Harness } from './harness.js';

interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  parameters?: { name: string; in: string; required?: boolean; schema?: object }[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { description?: string; content?: Record<string, { schema: object }> }>;
}
interface Document {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
}

let api: Harness;
let document: Document;

beforeAll(async () => {
  api = await harness({ address: '127.0.0.1:9' });
  document = (await api.call({ url: '/openapi.json', as: null })).body as Document;
});
afterAll(() => api.close());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );

describe('/openapi.json', () => {
  it('lists the routes of the design', () => {
    expect(
      operations()
        .map(({ path, method }) => `${method} ${path}`)
        .sort(),
    ).toEqual([
      'delete /api/locks/promotions/{app}',
      'delete /api/locks/{environment}/{app}',
      'get /api/apps',
      'get /api/builds/{id}',
      'get /api/deployments',
      'get /api/deployments/{id}',
      'get /api/deployments/{id}/stream',
      'get /api/me',
      'get /api/promotions/{app}',
      'get /api/releases',
      'get /api/releases/{id}',
      'get /api/settings',
      'get /api/stream',
      'get /api/targets/{environment}/{app}',
      'get /healthz',
      'get /metrics',
      'get /readyz',
      'get /version.json',
      'post /api/builds',
      'post /api/deployments',
      'post /api/deployments/{id}/retry',
      'post /api/deployments/{id}/stop',
      'post /api/plans',
      'post /api/promotions/{app}/approve',
      'post /api/promotions/{app}/cancel',
      'post /api/promotions/{app}/reject',
      'post /api/promotions/{app}/resolve',
      'post /api/promotions/{app}/retry',
      'post /api/promotions/{app}/tests',
      'post /api/redeployments',
      'post /api/releases',
      'post /api/releases/{id}/abandon',
      'post /api/releases/{id}/retry',
      'post /api/rollbacks',
      'post /auth/logout',
      'post /webhooks/ecs',
      'post /webhooks/github',
      'put /api/locks/promotions/{app}',
      'put /api/locks/{environment}/{app}',
    ]);
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(document.info).toMatchObject({ title: 'Sluice', version: 'r1' });
  });

  it('names every operation once, and declares every parameter of its path', () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations()) {
      expect(operation.operationId).toBeTruthy();
      expect(operation.summary).toBeTruthy();
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
      const declared = (operation.parameters ?? []).filter((one) => one.in === 'path');
      expect(declared.map(({ name }) => name).sort()).toEqual(inPath);
      expect(declared.every(({ required }) => required)).toBe(true);
    }
  });

  it('has a schema for every answer, which is one of JSON Schema 2020-12', () => {
    const ajv = new Ajv2020({ strict: false });
    for (const { path, operation } of operations()) {
      const success = Object.keys(operation.responses).filter((status) => status.startsWith('2'));
      expect([path, success.length]).toEqual([path, 1]);
      if (!['/healthz', '/version.json'].includes(path)) {
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['4XX', '5XX']));
      }
      const schemas = [
        ...Object.values(operation.responses).flatMap(({ content = {} }) => Object.values(content)),
        ...Object.values(operation.requestBody?.content ?? {}),
        ...(operation.parameters ?? []),
      ].map(({ schema }) => schema ?? {});
      for (const schema of schemas) {
        expect(ajv.validateSchema(schema)).toBe(true);
        expect(() => ajv.compile(schema)).not.toThrow();
      }
      for (const [status, { description, content }] of Object.entries(operation.responses)) {
        expect(description).toBeTypeOf('string');
        if (status !== '204') expect(content).toBeDefined();
      }
    }
  });

  it('names every event that the stream of everything sends', () => {
    const description = document.paths['/api/stream']?.['get']?.description;
    // What they read is not asked for here.
    for (const { event } of sourcesOf({} as Context)) expect(description).toContain(`\`${event}\``);
  });

  it('refuses unknown fields in every body and query that it takes', () => {
    // What others send may grow: of a webhook only what is looked at is described.
    const ours = operations().filter(({ path }) => !path.startsWith('/webhooks/'));
    for (const { operation } of ours) {
      for (const { schema } of Object.values(operation.requestBody?.content ?? {})) {
        expect(schema).toMatchObject({ additionalProperties: false });
      }
    }
  });
});

describe('/docs', () => {
  it('is a page that loads nothing from elsewhere', async () => {
    const page = await api.app.inject({ url: '/docs/' });
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain('swagger-ui');
    expect(page.body).not.toMatch(/(?:src|href)="https?:/);
    expect(page.headers['content-security-policy']).toContain("default-src 'self'");
    const script = /src="([^"]*swagger-ui-bundle.js)"/.exec(page.body)?.[1] ?? '';
    expect((await api.app.inject({ url: new URL(script, 'http://x/docs/').pathname })).statusCode).toBe(200);
  });
});

describe('every answer', () => {
  it('carries a request id and headers against sniffing, framing and caching', async () => {
    const { headers } = await api.app.inject({ url: '/healthz', headers: { 'x-request-id': 'chosen' } });
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });
});
