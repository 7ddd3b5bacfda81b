/** How long a short activity waits for a worker, beside whatever else the worker does. */
import { deploymentWorkflowId } from '../domain/ids.js';
import { QUEUE } from '../domain/messages.js';
import type { HistoryEvent } from './events-of.js';
import { millis } from './events-of.js';
import type { Bench, Lane } from './site.js';

/** In milliseconds. */
export interface Waits {
  /** By the histories: scheduled to started, of each activity on the main queue; first attempts only. */
  started: number[];
  /**
   * Of step `validate`: scheduled to its first call received at ECR. Temporal hands an activity to the worker that
   * asked for it, and calls it started; this also has what the worker's own process takes until it runs.
   */
  working: number[];
}

/** Deploys to each lane so many times, one after the other. */
export async function shortActivities(bench: Bench, lanes: readonly Lane[], times: number): Promise<Waits> {
  const waits: Waits = { started: [], working: [] };
  for (let time = 0; time < times; time += 1) {
    for (const lane of lanes) {
      const { id, sentAt } = await bench.deploy(lane, { tag: bench.images(lane) });
      await bench.succeeded(id);
      const { events } = await bench.workflows.getHandle(deploymentWorkflowId(id)).fetchHistory();
      const [call] = bench.aws.calls({ operation: 'ecr:BatchGetImage', since: sentAt });
      waits.started.push(...startsOf(events ?? []));
      waits.working.push((call?.at ?? NaN) - validateScheduled(events ?? []));
    }
  }
  return waits;
}

function startsOf(events: readonly HistoryEvent[]): number[] {
  const scheduled = new Map(
    events
      .filter((event) => event.activityTaskScheduledEventAttributes?.taskQueue?.name === QUEUE.main)
      .map((event) => [String(event.eventId), event.eventTime]),
  );
  return events.flatMap(({ eventTime, activityTaskStartedEventAttributes: started }) => {
    const at = scheduled.get(String(started?.scheduledEventId));
    return at && started?.attempt === 1 ? [millis(eventTime) - millis(at)] : [];
  });
}

const validateScheduled = (events: readonly HistoryEvent[]): number =>
  millis(
    events.find((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'validate')
      ?.eventTime,
  );
