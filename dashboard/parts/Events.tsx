import type { EcsEvent } from '../../domain/deployment.js';
import { At } from './Time.js';

/** What ECS says, newest first. */
export function Events({ events }: { events: EcsEvent[] }) {
  if (events.length === 0) return null;
  return (
    <>
      <h2>What ECS says</h2>
      <ol class="events" tabIndex={0} aria-label="Events of ECS, newest first">
        {[...events].reverse().map(({ at, message }) => (
          <li key={`${at}${message}`}>
            <At at={at} seconds /> <span>{message.replace(/^\(service [^)]*\) /, '')}</span>
          </li>
        ))}
      </ol>
    </>
  );
}
