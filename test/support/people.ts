/** What a person does with a stack over HTTP. */
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
  return {
    read,
    deploy: async (app, commit) => {
      const accepted = await ask('/api/deployments', { app, environment: 'staging', commit });
      return (accepted as { id: string }).id;
    },
    stop: async (id) => void (await ask(`/api/deployments/${id}/stop`, {})),
    ended: async (id) => {
      let last: DeploymentView | undefined;
      const look = async (): Promise<DeploymentView | false> => {
        last = await read(id);
        return last.state === 'finished' && last;
      };
      return until(`${id} ends`, look, ENDS_WITHIN_MS).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${JSON.stringify(last)}`);
      });
    },
    watched: async (id) => {
      await until(`${id} is watched`, async () => {
        const { state, step, rollout, outcome } = await read(id);
        if (state === 'finished') throw new Error(`${id} has ended already: ${outcome}`);
        return step === 'stabilise' && rollout !== undefined;
      });
    },
  };
}
