/** The one connection that everything live comes by: `GET /api/stream`. */
import type { News } from '../model/world.js';
import { NEWS } from '../model/world.js';
import { ask, asProblem } from './api.js';

export type Connection =
  | { state: 'connecting' }
  | { state: 'live' }
  /** Tried again by itself. */
  | { state: 'lost'; since: number }
  /** Nobody is signed in, or who is may not read. */
  | { state: 'refused'; message: string };

/** Whether Sluice itself can look. */
export interface Health {
  ok: boolean;
  message?: string;
}

export interface Listener {
  /** All that there is follows, then `ready`; what is held besides is out of date. */
  reset(): void;
  ready(): void;
  news(news: News): void;
  health(health: Health): void;
  connection(connection: Connection): void;
}

const AGAIN_MS = [1_000, 2_000, 4_000, 8_000, 15_000];
/** Connections end now and then in order, and are back at once: nobody needs to hear of that. */
const LOST_AFTER_MS = 2_500;
/** A laptop that slept has a connection that only seems to be there. */
const ASLEEP_MS = 60_000;

/** @returns ends it */
export function follow(listener: Listener): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let lostAt: number | undefined;
  let ended = false;

  let telling: ReturnType<typeof setTimeout> | undefined;
  const lost = (): void => {
    const since = (lostAt ??= Date.now());
    telling ??= setTimeout(() => listener.connection({ state: 'lost', since }), LOST_AFTER_MS);
  };
  const back = (): void => {
    clearTimeout(telling);
    telling = lostAt = undefined;
    failures = 0;
    listener.connection({ state: 'live' });
  };

  const open = (): void => {
    clearTimeout(timer);
    source?.close();
    const one = new EventSource('/api/stream');
    source = one;
    one.onopen = back;
    one.onerror = () => {
      if (source !== one || ended) return;
      lost();
      // While it is CONNECTING the browser comes back by itself, with Last-Event-ID.
      if (one.readyState === EventSource.CLOSED) void again();
    };
    one.addEventListener('reset', () => listener.reset());
    one.addEventListener('ready', () => listener.ready());
    one.addEventListener('health', ({ data }: MessageEvent<string>) =>
      listener.health(JSON.parse(data) as Health),
    );
    for (const name of NEWS) {
      one.addEventListener(name, ({ data }: MessageEvent<string>) => {
        listener.news({ name, data: JSON.parse(data) as never });
      });
    }
  };

  /** An EventSource does not say why it was refused: a request that may be read does. */
  const again = async (): Promise<void> => {
    const wait = AGAIN_MS[Math.min(failures, AGAIN_MS.length - 1)];
    failures += 1;
    const problem = await ask('/api/apps').then(() => undefined, asProblem);
    if (ended) return;
    if (problem?.status === 401 || problem?.status === 403) {
      clearTimeout(telling);
      listener.connection({ state: 'refused', message: problem.message });
      return;
    }
    clearTimeout(timer);
    timer = setTimeout(open, wait);
  };

  let hiddenAt = 0;
  const onVisibility = (): void => {
    if (document.hidden) hiddenAt = Date.now();
    else if (hiddenAt && Date.now() - hiddenAt > ASLEEP_MS) open();
  };
  document.addEventListener('visibilitychange', onVisibility);
  window.addEventListener('online', open);
  window.addEventListener('offline', lost);
  open();
  return () => {
    ended = true;
    clearTimeout(timer);
    clearTimeout(telling);
    source?.close();
    document.removeEventListener('visibilitychange', onVisibility);
    window.removeEventListener('online', open);
    window.removeEventListener('offline', lost);
  };
}
