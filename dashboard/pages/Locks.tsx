/** What is locked, by whom and why; and what could be. */
import type { Lock } from '../../domain/messages.js';
import { ActionButton } from '../actions/ActionButton.js';
import { lock, unlock } from '../actions/deployments.js';
import { lockQueue, unlockQueue } from '../actions/promotions.js';
import type { Action } from '../actions/spec.js';
import { useStore } from '../live/store.js';
import { roadsOf } from '../model/world.js';
import { Since } from '../parts/Time.js';
import { appPath } from '../parts/names.js';

interface Lockable {
  app: string;
  what: string;
  lock?: Lock;
  action: () => Action;
}

export function Locks() {
  const world = useStore((state) => state.world);
  const settings = useStore((state) => state.settings);
  const all = settings ? roadsOf(world, settings).flatMap(lockables) : [];
  const locked = all.filter((one) => one.lock);
  return (
    <>
      <h1>Locks</h1>
      <section aria-labelledby="locked">
        <h2 id="locked">{locked.length === 0 ? 'Nothing is locked' : 'Locked'}</h2>
        <ul class="locks">
          {locked.map((one) => (
            <Locked key={`${one.app}${one.what}`} of={one} />
          ))}
        </ul>
      </section>
      <section aria-labelledby="open">
        <h2 id="open">Not locked</h2>
        <ul class="locks">
          {all
            .filter((one) => !one.lock)
            .map(({ app, what, action }) => (
              <li key={`${app}${what}`}>
                <span>
                  <a class="plain" href={appPath(app)}>
                    {app}
                  </a>{' '}
                  {what}
                </span>
                <ActionButton label={`Lock ${app} ${what}`} action={action}>
                  Lock
                </ActionButton>
              </li>
            ))}
        </ul>
      </section>
    </>
  );
}

function lockables(road: ReturnType<typeof roadsOf>[number]): Lockable[] {
  const { app, queue, staging, production } = road;
  const places = [staging, production].flatMap((place) => {
    if (!place) return [];
    const held = place.lane.lock;
    return [
      {
        app,
        what: place.environment,
        ...(held ? { lock: held } : {}),
        action: () => (held ? unlock(place) : lock(place)),
      },
    ];
  });
  if (!queue) return places;
  const held = queue.lock;
  const own = {
    app,
    what: 'promotions',
    ...(held ? { lock: held } : {}),
    action: () => (held ? unlockQueue(app) : lockQueue(app)),
  };
  return [own, ...places];
}

function Locked({ of: { app, what, lock: held, action } }: { of: Lockable }) {
  if (!held) return null;
  return (
    <li class="held">
      <span>
        <strong>
          <a class="plain" href={appPath(app)}>
            {app}
          </a>{' '}
          {what}
        </strong>{' '}
        <span class="hint">
          by {held.by} for <Since at={held.at} />
        </span>
        <br />
        {held.reason}
      </span>
      <ActionButton label={`Unlock ${app} ${what}`} action={action}>
        Unlock
      </ActionButton>
    </li>
  );
}
