/** One look at a deployment for all who watch it: a hundred browsers cost Temporal what one costs. */
import type { DeploymentView } from '../domain/view.js';

export interface Watcher {
  /** The deployment changed, or has just been read for the first time. */
  changed(view: DeploymentView): void;
  /** It has finished (after `changed`), or Temporal no longer holds it. */
  ended(): void;
}

export interface Watchers {
  /** @returns stops watching */
  watch(id: string, watcher: Watcher): () => void;
  /** Ends every watch. */
  close(): void;
  /** Ids that are read at this moment. */
  readonly size: number;
}

interface Poll {
  watchers: Set<Watcher>;
  last?: DeploymentView;
  lastText?: string;
  timer?: NodeJS.Timeout;
}

const EVERY_MS = 500;

export function createWatchers(of: {
  read: (id: string) => Promise<DeploymentView | undefined>;
  everyMs?: number;
}): Watchers {
  const polls = new Map<string, Poll>();

  const look = async (id: string, poll: Poll): Promise<void> => {
    const over = await step(of.read, id, poll);
    if (poll.watchers.size === 0) return;
    if (over) return end(id, poll);
    poll.timer = setTimeout(() => void look(id, poll), of.everyMs ?? EVERY_MS);
  };

  const end = (id: string, poll: Poll): void => {
    clearTimeout(poll.timer);
    if (polls.get(id) === poll) polls.delete(id);
    const all = [...poll.watchers];
    poll.watchers.clear();
    for (const watcher of all) watcher.ended();
  };

  return {
    watch(id, watcher) {
      const known = polls.get(id);
      const poll = known ?? { watchers: new Set() };
      poll.watchers.add(watcher);
      if (poll.last) watcher.changed(poll.last);
      if (!known) {
        polls.set(id, poll);
        void look(id, poll);
      }
      return () => {
        poll.watchers.delete(watcher);
        if (poll.watchers.size === 0) end(id, poll);
      };
    },
    close() {
      for (const [id, poll] of [...polls]) end(id, poll);
    },
    get size() {
      return polls.size;
    },
  };
}

/** @returns whether there is nothing more to come */
async function step(
  read: (id: string) => Promise<DeploymentView | undefined>,
  id: string,
  poll: Poll,
): Promise<boolean> {
  try {
    const view = await read(id);
    if (!view) return true;
    const text = JSON.stringify(view);
    if (text !== poll.lastText) {
      poll.last = view;
      poll.lastText = text;
      for (const watcher of [...poll.watchers]) watcher.changed(view);
    }
    return view.state === 'finished';
  } catch {
    return false; // Temporal does not answer: those who watch wait with us (rule 10)
  }
}
