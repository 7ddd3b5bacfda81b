/** What the whole page stands on: the world, the connection, who looks; told to components in batches. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Me, Settings } from '../model/types.js';
import type { World } from '../model/world.js';
import { emptyWorld, renewed, told } from '../model/world.js';
import { ask, asProblem } from './api.js';
import type { Connection, Health } from './stream.js';
import { follow } from './stream.js';

export interface State {
  world: World;
  /** How often all that there is has come anew; what was read before the latest may lack what ended unheard. */
  beginnings: number;
  connection: Connection;
  health: Health;
  /** Absent: not known yet. */
  settings?: Settings;
  /** Absent: nobody is signed in, or it is not known yet. */
  me?: Me;
  /** Whether browsers can sign in here. Absent: not known. */
  canSignIn?: boolean;
  /** Said once to everyone, also to those who do not see: the outcome of an action. */
  announcement: string;
}

let state: State = {
  world: emptyWorld,
  beginnings: 0,
  connection: { state: 'connecting' },
  health: { ok: true },
  announcement: '',
};
const listeners = new Set<() => void>();
let scheduled: ReturnType<typeof setTimeout> | undefined;

/** The whole present state comes as a burst: one rendering for it. */
const BATCH_MS = 30;

function change(next: Partial<State>): void {
  state = { ...state, ...next };
  scheduled ??= setTimeout(() => {
    scheduled = undefined;
    for (const listener of [...listeners]) listener();
  }, BATCH_MS);
}

export const current = (): State => state;

export function useStore<T>(select: (state: State) => T): T {
  const [, render] = useState(0);
  const value = select(state);
  // What stands on the page: the state may have changed between a rendering and its effects.
  const shown = useRef({ value, select });
  shown.current = { value, select };
  useEffect(() => {
    const listener = (): void => {
      const { current } = shown;
      if (current.select(state) !== current.value) render((count) => count + 1);
    };
    listeners.add(listener);
    listener();
    return () => void listeners.delete(listener);
  }, []);
  return value;
}

export function announce(announcement: string): void {
  change({ announcement });
}

/** Of a connection that sends everything anew: what has come of it so far. */
let arriving: World | undefined;

export async function start(): Promise<void> {
  follow({
    reset: () => void (arriving = emptyWorld),
    ready: () => {
      if (!arriving) return;
      const world = renewed(state.world, arriving);
      arriving = undefined;
      change({ world, beginnings: state.beginnings + 1 });
    },
    news: (news) => {
      if (arriving) arriving = told(arriving, news);
      change({ world: told(state.world, news) });
    },
    health: (health) => change({ health }),
    connection: (connection) => {
      change({ connection });
      if (connection.state === 'live') void identify();
    },
  });
  await identify();
}

async function identify(): Promise<void> {
  const me = await ask<Me>('/api/me').catch(asProblem);
  if (!(me instanceof Error)) change({ me });
  else change({ me: undefined, ...(me.status === 401 ? { canSignIn: me.details['signIn'] !== false } : {}) });
  if (state.settings) return;
  const settings = await ask<Settings>('/api/settings').catch(asProblem);
  if (!(settings instanceof Error)) change({ settings });
  else if (settings.status === 401 || settings.status === 403) {
    change({ connection: { state: 'refused', message: settings.message } });
  }
}

/** The present, again each second while somebody sees it. */
let now = Date.now();
const clocks = new Set<() => void>();
setInterval(() => {
  if (document.hidden) return;
  now = Date.now();
  for (const clock of [...clocks]) clock();
}, 1_000);

export function useNow(): number {
  const [, render] = useState(0);
  useEffect(() => {
    const clock = (): void => render((count) => count + 1);
    clocks.add(clock);
    return () => void clocks.delete(clock);
  }, []);
  return Math.max(now, Date.now() - 1_000);
}
