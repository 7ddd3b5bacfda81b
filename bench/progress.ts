/** How soon what happens at ECS can be seen in the API. */
import type { Bench, Lane } from './site.js';
import { until } from './site.js';

const ASKED_EVERY_MS = 200;

interface Watched {
  lane: Lane;
  id: string;
}

/**
 * An event of each service; its deployment is asked for until it shows it.
 * @returns milliseconds from the event to the API's answer that has it
 */
export const progress = (bench: Bench, watched: readonly Watched[], round: number): Promise<number[]> =>
  Promise.all(
    watched.map(async ({ lane, id }) => {
      const message = `is looked at, round ${round}.`;
      bench.aws.emitEvents({ ...lane.ref, count: 1, message });
      const at = Date.now();
      const isShown = async (): Promise<boolean> => {
        const { rollout } = await bench.read(id);
        return rollout?.events.some((event) => event.message.includes(message)) ?? false;
      };
      await until(`${id} shows ${message}`, isShown, { everyMs: ASKED_EVERY_MS });
      return Date.now() - at;
    }),
  );
