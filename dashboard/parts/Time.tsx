import { useNow } from '../live/store.js';
import { durationOf } from '../model/words.js';

const exact = (at: string): string =>
  new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' });

/** How long ago: `12 min`; the exact time as its title. */
export function Since({ at }: { at: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={exact(at)}>
      {durationOf(now - Date.parse(at))}
    </time>
  );
}

/** Between two times, the second one absent while it runs. */
export function Took({ from, to }: { from: string; to?: string }) {
  return to ? <>{durationOf(Date.parse(to) - Date.parse(from))}</> : <Since at={from} />;
}

/** The day and the minute. */
export function At({ at, seconds = false }: { at: string; seconds?: boolean }) {
  const options: Intl.DateTimeFormatOptions = seconds
    ? { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }
    : { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  return (
    <time dateTime={at} title={exact(at)}>
      {new Date(at).toLocaleString(undefined, options)}
    </time>
  );
}
