/** One app: its road, what waits and what went, each environment with all that can be done there. */
import { ActionButton } from '../actions/ActionButton.js';
import { cancel } from '../actions/promotions.js';
import { useStore } from '../live/store.js';
import { useList } from '../live/useList.js';
import { merged } from '../model/merge.js';
import type { Road as RoadModel } from '../model/road.js';
import type { ShownDeployment } from '../model/types.js';
import { roadsOf } from '../model/world.js';
import { DeploymentTable } from '../parts/DeploymentTable.js';
import { Environment } from '../parts/Environment.js';
import { OnTheWay, Promotions } from '../parts/Promotions.js';
import { Road } from '../parts/Road.js';
import { Trouble } from '../parts/Trouble.js';
import { Commit } from '../parts/names.js';

export function AppPage({ app }: { app: string }) {
  const world = useStore((state) => state.world);
  const settings = useStore((state) => state.settings);
  if (!settings) return <p class="hint">Looking …</p>;
  const road = roadsOf(world, settings).find((one) => one.app === app);
  if (!road) {
    return (
      <section class="empty">
        <h1>There is no app {app}</h1>
        <p>
          <a href="/">To the road</a>
        </p>
      </section>
    );
  }
  return (
    <div class="app">
      <Road road={road} heading="h1" />
      {road.queue?.current && <OnTheWay current={road.queue.current} />}
      <Waiting road={road} />
      <div class="columns">
        {road.staging && <Environment place={road.staging} />}
        {road.production && <Environment place={road.production} />}
      </div>
      {road.queue && road.queue.recent.length > 0 && <Promotions recent={road.queue.recent} />}
      {!road.releaseOnly && <Deployments app={app} />}
      <p class="links">
        <a href={`/releases?app=${encodeURIComponent(app)}`}>Its releases</a>
        {!road.releaseOnly && <a href={`/history?app=${encodeURIComponent(app)}`}>Its whole history</a>}
      </p>
    </div>
  );
}

function Waiting({ road: { app, queue } }: { road: RoadModel }) {
  if (!queue || queue.waiting.length === 0) return null;
  const { waiting, waitingCount, policy } = queue;
  const rule = policy.queue === 'every-merge' ? 'one after the other' : 'the newest carries the others';
  return (
    <section aria-labelledby="waiting">
      <h2 id="waiting">
        Merges that wait <span class="hint">in the order of the branch; {rule}</span>
      </h2>
      <ul class="waiting">
        {waiting.map((one) => (
          <li key={one.id}>
            <ul class="commits">
              {one.merges.map((merge) => (
                <Commit key={merge.sha} {...merge} />
              ))}
            </ul>
            <ActionButton
              label={`Cancel ${one.merges.at(-1)?.title ?? one.release}`}
              action={() => cancel(app, one)}
            >
              Cancel
            </ActionButton>
          </li>
        ))}
      </ul>
      {waitingCount > waiting.length && <p class="hint">and {waitingCount - waiting.length} more</p>}
    </section>
  );
}

const LATEST = 10;

function Deployments({ app }: { app: string }) {
  const { items, problem } = useList<ShownDeployment>(
    `/api/deployments?limit=${LATEST}&app=${encodeURIComponent(app)}`,
  );
  const told = useStore((state) => state.world.deployments);
  const shown = merged({ read: items, told, filter: { app }, most: LATEST });
  if (shown.length === 0 && !problem) return null;
  return (
    <section aria-labelledby="deployments">
      <h2 id="deployments">Latest deployments</h2>
      {problem && <Trouble problem={problem} />}
      <DeploymentTable deployments={shown} caption={`Latest deployments of ${app}`} withApp={false} />
    </section>
  );
}
