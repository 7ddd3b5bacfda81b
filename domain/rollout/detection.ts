/** How soon a rollout's end was seen: from ECS's own word of it. */
import type { Stabilised } from '../effects.js';

/** What ECS's events say of a service that has come to rest. */
const AT_REST = /(has reached a steady state|deployment completed)\.?$/;

/**
 * @param at ISO 8601, of the verdict
 * @returns seconds; undefined where ECS told nothing, or the verdict is not of a service at rest. Two clocks are
 *   compared, ECS's and ours: never less than 0
 */
export function detectionSeconds({ verdict, rollout }: Stabilised, at: string): number | undefined {
  if (verdict !== 'stable' && verdict !== 'rolled-back') return undefined;
  const told = rollout.events.findLast(({ message }) => AT_REST.test(message));
  return told && Math.max(0, (Date.parse(at) - Date.parse(told.at)) / 1000);
}
