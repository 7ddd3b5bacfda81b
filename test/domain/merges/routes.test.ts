import { describe, expect, it } from 'vitest';
import { fillConfig } from '../../../domain/config/fill.js';
import { parseDeploymentId } from '../../../domain/ids.js';
import {
  distinctMerges,
  hasQueue,
  isRouted,
  newestOf,
  routesOf,
  withDescriptions,
} from '../../../domain/merges/routes.js';
import { mergeOf } from '../../support/merges.js';

const image = (repository: string) => [{ container: 'a', repository, context: 'a' }];
const config = fillConfig(
  {
    repository: { owner: 'WordPress', name: 'openverse', branch: 'main' },
    maintainers: { org: 'WordPress', team: 'maintainers' },
    aws: { region: 'us-east-1' },
    environments: { staging: { cluster: 's' }, production: { cluster: 'p' } },
    apps: {
      api: {
        paths: ['api/**'],
        images: image('api'),
        environments: { staging: { service: 's-api' }, production: { service: 'p-api' } },
      },
      docs: { paths: ['docs/**'], images: image('docs'), environments: { staging: { service: 's-docs' } } },
      ingestion: { paths: ['i/**'], images: image('i'), releaseOnly: true },
      live: { paths: ['l/**'], images: image('l'), environments: { production: { service: 'p-live' } } },
    },
  },
  'https://github.com',
);
const now = '2026-01-02T03:04:05.000Z';
const routes = (newest: Parameters<typeof routesOf>[1]['newest']) => routesOf(config, { newest, now });

describe('routesOf', () => {
  it('sends merges of each app where its configuration says', () => {
    const merge = mergeOf(7, { mergedBy: 'bob' });
    const found = routes({ live: merge, docs: merge, ingestion: merge, api: merge });
    expect(found).toMatchObject([
      { app: 'api', to: 'promotion' },
      { app: 'docs', to: 'staging' },
      { app: 'ingestion', to: 'build', commit: merge.sha },
    ]);
    expect(found[1]).toEqual({
      app: 'docs',
      to: 'staging',
      request: {
        ...{ app: 'docs', environment: 'staging', id: `staging.docs.merge${merge.sha.slice(0, 16)}` },
        ...{ kind: 'deploy', tag: merge.sha, commit: merge.sha, actor: 'bob', checkActor: false },
        ...{ queuedAt: now, limits: { tellAfterMs: 900_000, giveUpAfterMs: 3_600_000, verifyMs: 120_000 } },
      },
    });
  });

  it('asks for the same deployment for the same merge, however it is described', () => {
    const [one, other] = [mergeOf(7), mergeOf(7, { mergedBy: 'bob', title: 'better words' })].map((docs) => {
      const [route] = routes({ docs });
      return route?.to === 'staging' ? route.request : undefined;
    });
    expect(parseDeploymentId(one?.id ?? '')).toMatchObject({ app: 'docs', environment: 'staging' });
    expect({ ...one, actor: 'bob' }).toEqual(other);
    const [next] = routes({ docs: mergeOf(8) });
    expect(next?.to === 'staging' && next.request.id).not.toBe(one?.id);
  });

  it('has no route for what is not configured any more', () => {
    expect(routes({ gone: mergeOf(1), constructor: mergeOf(1) })).toEqual([]);
  });

  it('tells which apps have a queue, and which have another place', () => {
    const { api, docs, ingestion, live } = config.apps;
    expect([api, docs, ingestion, live].map((app) => app && hasQueue(app))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect([api, docs, ingestion, live].map((app) => app && isRouted(app))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});

describe('newestOf', () => {
  it('is the last merge of each app', () => {
    expect(newestOf({ api: [mergeOf(1), mergeOf(2)], docs: [] })).toEqual({ api: mergeOf(2) });
  });

  it('is what a later look found, for the apps of the push', () => {
    const later = { api: [mergeOf(3), mergeOf(4)], other: [mergeOf(5)] };
    expect(newestOf({ api: [mergeOf(1)], docs: [mergeOf(2)] }, later)).toEqual({
      api: mergeOf(4),
      docs: mergeOf(2),
    });
  });
});

describe('descriptions', () => {
  it('are asked for once for each merge, the newest ones', () => {
    const apps = { api: [mergeOf(1), mergeOf(3)], docs: [mergeOf(2), mergeOf(3)] };
    expect(distinctMerges(apps, 10).map(({ position }) => position)).toEqual([1, 2, 3]);
    expect(distinctMerges(apps, 2).map(({ position }) => position)).toEqual([2, 3]);
  });

  it('stand in every app; what was not described stays, and who pushed stands in for who merged', () => {
    const apps = { api: [mergeOf(1), mergeOf(2)], docs: [mergeOf(2)] };
    const known = mergeOf(2, { mergedBy: 'bob', title: 'as GitHub has it' });
    expect(withDescriptions(apps, [known], 'carol')).toEqual({
      api: [mergeOf(1, { mergedBy: 'carol' }), known],
      docs: [known],
    });
    expect(withDescriptions(apps, [], 'github-merge-queue[bot]')).toEqual(apps);
    expect(withDescriptions(apps, [])).toEqual(apps);
  });
});
