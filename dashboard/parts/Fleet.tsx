/** Tasks old and new, as a picture that moves as ECS moves. */
import type { Rollout } from '../../domain/deployment.js';
import { plural } from '../model/words.js';

/** Beyond these a square is more than one task. */
const MOST = 30;

export function Fleet({ rollout, isOver }: { rollout: Rollout; isOver: boolean }) {
  const { desired, running, pending, failed, previousRunning } = rollout;
  const per = Math.ceil(Math.max(desired, running + pending, previousRunning, 1) / MOST);
  const missing = isOver ? 0 : Math.max(0, desired - running - pending);
  const words = `Before: ${plural(previousRunning, 'task')}. New: ${running} of ${desired} running, ${pending} pending, ${failed} failed.`;
  return (
    <figure class="fleet">
      <div role="img" aria-label={words}>
        <Group name="before" squares={[['old', previousRunning]]} per={per} />
        <span class="flow" aria-hidden="true">
          →
        </span>
        <Group
          name="new"
          squares={[
            ['up', running],
            ['coming', pending],
            ['none', missing],
            ['dead', Math.min(failed, MOST)],
          ]}
          per={per}
        />
      </div>
      <figcaption class="hint">
        {running} of {plural(desired, 'new task')} run{pending > 0 && `, ${pending} pending`};{' '}
        {previousRunning} of before
        {failed > 0 && (
          <>
            ; <strong class="bad">{failed} failed</strong>
          </>
        )}
        {per > 1 && ` (a square is ${per} tasks)`}
      </figcaption>
    </figure>
  );
}

function Group({ name, squares, per }: { name: string; squares: [string, number][]; per: number }) {
  return (
    <span class={`group ${name}`}>
      <span class="label">{name}</span>
      <span class="squares">
        {squares.flatMap(([look, count]) =>
          Array.from({ length: Math.ceil(count / per) }, (_, at) => <i key={`${look}${at}`} class={look} />),
        )}
      </span>
    </span>
  );
}
