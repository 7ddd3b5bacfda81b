/** What something does or waits for, in words: what, since when, who can end it. */
import type { Saying } from '../model/road.js';
import { either, stopped } from '../model/words.js';
import { Since } from './Time.js';

export function Sayings({ sayings }: { sayings: Saying[] }) {
  return (
    <ul class="sayings">
      {sayings.map((saying) => (
        <li key={saying.text} class={saying.tone}>
          {stopped(saying.text)}
          {saying.since && (
            <span class="hint">
              {' '}
              For <Since at={saying.since} />.
            </span>
          )}
          {saying.who && <span class="hint"> {whoWords(saying.who, saying.actions ?? [])}</span>}
        </li>
      ))}
    </ul>
  );
}

/** The list of codes speaks to the command line too. */
const plain = (action: string): string => action.replace(/^resolve: /, '').replace(/: sluice .*$/, '');

function whoWords(who: string, actions: string[]): string {
  if (who.startsWith('nobody')) return 'It ends by itself.';
  return `${who.charAt(0).toUpperCase()}${who.slice(1)} can end it${actions.length ? `: ${either(actions.map(plain).filter((one) => one !== 'wait'))}` : ''}.`;
}
