/** Tasks as squares: what is wanted, what runs, what starts. */
import { plural } from '../model/words.js';

/** More than these are a bar. */
const MOST = 12;

export function Tasks({
  desired,
  running,
  pending = 0,
}: {
  desired: number;
  running: number;
  pending?: number;
}) {
  const words = `${running} of ${plural(desired, 'task')} ${running === 1 ? 'runs' : 'run'}${pending ? `, ${pending} pending` : ''}`;
  const count = Math.max(desired, running + pending);
  return (
    <span class="tasks" role="img" aria-label={words} title={words}>
      {count <= MOST &&
        Array.from({ length: count }, (_, at) => (
          <i key={at} class={at < running ? 'up' : at < running + pending ? 'coming' : 'none'} />
        ))}
      <span aria-hidden="true">
        {running}/{desired}
      </span>
    </span>
  );
}
