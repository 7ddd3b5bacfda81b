import { Context } from '@temporalio/activity';

type Activity<I, O> = (input: I) => Promise<O>;

/**
 * A short activity that says every second that it lives: so a worker that dies is noticed in seconds, not at
 * the end of the attempt's bound. Not for one that heartbeats details of its own.
 */
export const heartbeating =
  <I, O>(work: Activity<I, O>): Activity<I, O> =>
  async (input) => {
    const context = Context.current();
    const timer = setInterval(() => context.heartbeat(), 1_000);
    try {
      return await work(input);
    } finally {
      clearInterval(timer);
    }
  };
