/** What stands in a workflow's history. */
import type { temporal } from '@temporalio/proto';
import type { Bench } from './site.js';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** Of its latest run. */
export async function eventsOf({ workflows }: Bench, workflowId: string): Promise<HistoryEvent[]> {
  const { events } = await workflows.getHandle(workflowId).fetchHistory();
  return events ?? [];
}

/** When the first activity of this type started, in epoch milliseconds; NaN: none has. */
export function startOf(events: readonly HistoryEvent[], activity: string): number {
  const scheduled = events.find(
    ({ activityTaskScheduledEventAttributes: of }) => of?.activityType?.name === activity,
  );
  const started = events.find(
    ({ activityTaskStartedEventAttributes: of }) =>
      of && String(of.scheduledEventId) === String(scheduled?.eventId),
  );
  return started ? millis(started.eventTime) : NaN;
}

export const millis = (time: HistoryEvent['eventTime']): number =>
  Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;
