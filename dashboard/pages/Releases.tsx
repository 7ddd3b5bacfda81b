/** Published releases, and those that are blocked on the way. */
import { ActionButton } from '../actions/ActionButton.js';
import { release as releaseAction } from '../actions/releases.js';
import { go, usePlace } from '../live/router.js';
import { useStore } from '../live/store.js';
import { useList } from '../live/useList.js';
import type { ShownRelease } from '../model/types.js';
import { short } from '../model/words.js';
import { Outcome } from '../parts/Badge.js';
import { At } from '../parts/Time.js';
import { Trouble } from '../parts/Trouble.js';
import { appPath, releasePath } from '../parts/names.js';
import { ReleaseButtons } from '../parts/ReleaseButtons.js';
import { Select } from '../parts/Select.js';

export function Releases() {
  const app = usePlace().query.get('app') ?? '';
  const apps = useStore((state) => state.settings?.apps) ?? [];
  const told = useStore((state) => state.world.releases);
  const { items, isLoading, problem, more } = useList<ShownRelease>(
    `/api/releases?limit=50${app ? `&app=${encodeURIComponent(app)}` : ''}`,
  );
  const shown = newestFirst(items, told, app);
  const chosen = apps.find((one) => one.app === app);
  return (
    <>
      <h1>Releases</h1>
      <div class="filters">
        <Select
          label="App"
          value={app}
          options={apps.map((one) => one.app)}
          onChange={(value) => go(value ? `/releases?app=${value}` : '/releases', { replace: true })}
        />
        {chosen && (
          <ActionButton
            action={() => releaseAction(app, { releaseOnly: chosen.releaseOnly })}
          >{`Release ${app}`}</ActionButton>
        )}
      </div>
      {problem && <Trouble problem={problem} />}
      {shown.length === 0 && !problem && (
        <p class="hint">{isLoading ? 'Looking …' : 'Nothing has been released yet.'}</p>
      )}
      {shown.length > 0 && <Table releases={shown} />}
      {more && (
        <p class="buttons">
          <button type="button" onClick={more}>
            Older ones
          </button>
        </p>
      )}
    </>
  );
}

function newestFirst(
  read: ShownRelease[],
  told: ReadonlyMap<string, ShownRelease>,
  app: string,
): ShownRelease[] {
  const all = new Map([...read, ...told.values()].map((one) => [one.id, one]));
  return [...all.values()]
    .filter((one) => !app || one.app === app)
    .sort((a, b) => b.date.localeCompare(a.date));
}

function Table({ releases }: { releases: ShownRelease[] }) {
  return (
    <div class="scroll">
      <table>
        <caption class="visually-hidden">Releases, newest first</caption>
        <thead>
          <tr>
            <th scope="col">release</th>
            <th scope="col">app</th>
            <th scope="col">images</th>
            <th scope="col">state</th>
            <th scope="col">by</th>
            <th scope="col">when</th>
            <th scope="col">to do</th>
          </tr>
        </thead>
        <tbody>
          {releases.map((one) => (
            <tr key={one.id}>
              <td>
                <a href={releasePath(one.id)}>{one.date}</a>
              </td>
              <td>
                <a class="plain" href={appPath(one.app)}>
                  {one.app}
                </a>
              </td>
              <td>
                <code title={one.tag}>{short(one.tag)}</code>
              </td>
              <td>
                <Outcome of={one.outcome ?? one.state} />
                {one.blocked && <span class="hint"> at {one.blocked.step}</span>}
              </td>
              <td>{one.actor}</td>
              <td>
                <At at={one.requestedAt} />
              </td>
              <td>
                <ReleaseButtons release={one} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
