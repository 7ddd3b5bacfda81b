/** The commits between staging and production: how many, which ones, and GitHub's comparison of the two. */
import { useStore } from '../live/store.js';
import { betweenOf } from '../model/between.js';
import type { Road } from '../model/road.js';
import { plural } from '../model/words.js';
import { Commit, Out } from './names.js';

export function Between({ road }: { road: Road }) {
  const url = useStore(({ settings }) => settings?.repositoryUrl);
  const between = betweenOf(road);
  if (!between) return null;
  const { ahead, merges, isComplete, range } = between;
  const compare = url && range ? `${url}/compare/${range}` : undefined;
  if (merges.length === 0) {
    return compare ? (
      <p class="between">
        <Out href={compare}>What differs</Out>
      </p>
    ) : null;
  }
  const count = `${plural(merges.length, 'merge')}${isComplete ? '' : ' or more'}`;
  return (
    <details class="between">
      <summary>
        {count} {ahead === 'staging' ? 'not in production' : 'not on staging'}
      </summary>
      <ul class="commits">
        {merges.map((one) => (
          <Commit key={one.sha} {...one} />
        ))}
      </ul>
      <Out href={compare}>at GitHub</Out>
    </details>
  );
}
