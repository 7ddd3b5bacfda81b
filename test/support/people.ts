/** What a person does with a stack over HTTP. */
import type { Release } from '../../domain/release/release.js';
import type { DeploymentView } from '../../domain/view.js';
import { PEOPLE } from '../../sandbox/settings.js';
import { until } from '../e2e/site.js';

const ENDS_WITHIN_MS = 180_000;

export interface Person {
  /** @returns the id. @throws unless it was accepted */
  deploy(app: string, commit: string): Promise<string>;
  stop(id: string): Promise<void>;
  read(id: string): Promise<DeploymentView>;
  /** The deployment as it ended. */
  ended(id: string): Promise<DeploymentView>;
  /** In the middle of its watch: the rollout has been read at least once. */
  watched(id: string): Promise<void>;
  /** @returns the id. @throws unless it was accepted */
  release(app: string, tag: string, more?: { again?: boolean }): Promise<string>;
  /** The release as it ended. @throws where it is blocked */
  released(id: string): Promise<Release>;
  /** @returns the deployment's id. @throws unless it was accepted */
  rollBack(app: string, environment: string, what: { reason: string; tag?: string }): Promise<string>;
  /** Of what the version endpoint reports. @returns the deployment's id. @throws unless it was accepted */
  redeploy(app: string, environment: string): Promise<string>;
  /** @throws unless it answers well */
  get(path: string): Promise<unknown>;
}

export function personAt(apiUrl: string): Person {
  const ask = async (path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${apiUrl}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: {
        authorization: `Bearer ${PEOPLE.alice.token}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  };
  const read: Person['read'] = async (id) => (await ask(`/api/deployments/${id}`)) as DeploymentView;
  const idOf = async (path: string, body: object): Promise<string> =>
    ((await ask(path, body)) as { id: string }).id;
  /** @throws with what was read last */
  const ends = async <T extends { state: string }>(id: string, look: () => Promise<T>): Promise<T> => {
    let last: T | undefined;
    const finished = async (): Promise<T | false> => {
      last = await look();
      if (last.state === 'blocked') throw new Error(`${id} is blocked`);
      return last.state === 'finished' && last;
    };
    return until(`${id} ends`, finished, ENDS_WITHIN_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${JSON.stringify(last)}`);
    });
  };
  return {
    read,
    get: ask,
    deploy: (app, commit) => idOf('/api/deployments', { app, environment: 'staging', commit }),
    release: (app, tag, more) => idOf('/api/releases', { app, tag, ...more }),
    released: (id) => ends(id, async () => (await ask(`/api/releases/${id}`)) as Release),
    rollBack: (app, environment, what) => idOf('/api/rollbacks', { app, environment, ...what }),
    redeploy: (app, environment) => idOf('/api/redeployments', { app, environment }),
    stop: async (id) => void (await ask(`/api/deployments/${id}/stop`, {})),
    ended: (id) => ends(id, () => read(id)),
    watched: async (id) => {
      await until(`${id} is watched`, async () => {
        const { state, step, rollout, outcome } = await read(id);
        if (state === 'finished') throw new Error(`${id} has ended already: ${outcome}`);
        return step === 'stabilise' && rollout !== undefined;
      });
    },
  };
}
