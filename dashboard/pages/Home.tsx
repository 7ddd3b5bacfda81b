/** Each app's road from `main` to production. */
import { useStore } from '../live/store.js';
import { roadsOf } from '../model/world.js';
import { Road } from '../parts/Road.js';

export function Home() {
  const world = useStore((state) => state.world);
  const settings = useStore((state) => state.settings);
  const isWhole = useStore((state) => state.beginnings > 0);
  const health = useStore((state) => state.health);
  const roads = settings ? roadsOf(world, settings) : [];
  return (
    <>
      <h1 class="visually-hidden">The road from main to production</h1>
      {!health.ok && <p class="warning">{health.message ?? 'Sluice cannot look at what runs.'}</p>}
      {(!settings || !isWhole) && <p class="hint loading">Looking at what runs …</p>}
      <div class="roads">
        {roads.map((road) => (
          <Road key={road.app} road={road} />
        ))}
      </div>
    </>
  );
}
