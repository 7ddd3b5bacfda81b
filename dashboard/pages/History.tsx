/** What was deployed: filtered, charted, one a line. */
import { useMemo } from 'preact/hooks';
import { KINDS, OUTCOMES } from '../../domain/deployment.js';
import { go, usePlace } from '../live/router.js';
import { useStore } from '../live/store.js';
import { useList } from '../live/useList.js';
import { FILTERS, merged, type Filter } from '../model/merge.js';
import type { ShownDeployment } from '../model/types.js';
import { Chart } from '../parts/Chart.js';
import { DeploymentTable } from '../parts/DeploymentTable.js';
import { Select } from '../parts/Select.js';
import { Trouble } from '../parts/Trouble.js';

const PAGE = 50;

const filterOf = (query: URLSearchParams): Filter =>
  Object.fromEntries(FILTERS.flatMap((key) => (query.get(key) ? [[key, query.get(key)]] : [])));

export function History() {
  const { query } = usePlace();
  const filter = filterOf(query);
  const search = new URLSearchParams(filter as Record<string, string>);
  const { items, isLoading, problem, more } = useList<ShownDeployment>(
    `/api/deployments?limit=${PAGE}&${search}`,
  );
  const told = useStore((state) => state.world.deployments);
  const shown = useMemo(() => merged({ read: items, told, filter }), [items, told, String(search)]);
  return (
    <>
      <h1>History</h1>
      <Filters filter={filter} />
      {problem && <Trouble problem={problem} />}
      {shown.length > 0 && <Chart deployments={shown} />}
      {shown.length > 0 && (
        <DeploymentTable deployments={shown} caption="Deployments, unfinished first, then the newest" />
      )}
      {shown.length === 0 && !problem && (
        <p class="hint">{isLoading ? 'Looking …' : 'No deployment that is kept is of this kind.'}</p>
      )}
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

function Filters({ filter }: { filter: Filter }) {
  const apps = useStore((state) => state.settings?.apps) ?? [];
  const environments = [...new Set(apps.flatMap((one) => one.environments))];
  const set = (key: string, value: string): void => {
    const next = new URLSearchParams(filter as Record<string, string>);
    if (value) next.set(key, value);
    else next.delete(key);
    go(next.size > 0 ? `/history?${next}` : '/history', { replace: true });
  };
  const names = apps.filter(({ releaseOnly }) => !releaseOnly).map(({ app }) => app);
  return (
    <form
      class="filters"
      role="search"
      aria-label="Filter the history"
      onSubmit={(event) => event.preventDefault()}
    >
      <Select label="App" value={filter.app} options={names} onChange={(value) => set('app', value)} />
      <Select
        label="Environment"
        value={filter.environment}
        options={environments}
        onChange={(value) => set('environment', value)}
      />
      <Select label="Kind" value={filter.kind} options={KINDS} onChange={(value) => set('kind', value)} />
      <Select
        label="Outcome"
        value={filter.outcome}
        options={OUTCOMES}
        onChange={(value) => set('outcome', value)}
      />
      <label>
        Person
        <input
          type="search"
          placeholder="anyone"
          autocomplete="off"
          spellcheck={false}
          value={filter.actor ?? ''}
          onChange={({ currentTarget }) => set('actor', currentTarget.value.trim())}
        />
      </label>
    </form>
  );
}
