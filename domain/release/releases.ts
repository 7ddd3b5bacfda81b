/**
 * The releases of one app: each has a date of its own, one runs at a time, and no image set is released twice
 * by accident. Pure: the workflow `releases` is its wiring.
 */
import { dateOf, nextDate, releaseNames } from './dates.js';
import type { ReleaseNames, ReleaseRequest } from './release.js';
import type {
  ImageClaim,
  ReleasedImages,
  ReleasePlace,
  ReleasesView,
  ReleaseStateChange,
  SeenRelease,
} from '../messages.js';

/** Plain JSON: it is handed over at continue-as-new. `v` is raised when its meaning changes. */
export interface ReleasesState {
  v: 1;
  app: string;
  /** Date of the newest one. */
  last?: string;
  running?: ReleasePlace;
  waiting: ReleasePlace[];
  /** Oldest first. */
  released: ReleasedImages[];
  /** Oldest first. */
  seen: SeenRelease[];
}

export const RELEASED_KEPT = 500;
const SEEN_KEPT = 1_000;
const SEEN_FOR_MS = 24 * 60 * 60 * 1000;
const SHOWN = 50;

export const noReleases = (app: string): ReleasesState => ({
  v: 1,
  app,
  waiting: [],
  released: [],
  seen: [],
});

/** What makes two requests the same: the body that the person sent. Of fixed length: reasons may be long. */
export const fingerprint = ({ tag, reason, again, override }: ReleaseRequest): string =>
  hash(JSON.stringify([tag, reason ?? null, again ?? false, override ?? false]));

export type Judged =
  | { accept: 'new' }
  | { accept: 'again'; id: string }
  | { refuse: 'KEY_REUSED' }
  | { refuse: 'ALREADY_RELEASED'; first: string };

/** A request that was accepted before is answered as before. */
export function judge(state: ReleasesState, request: ReleaseRequest): Judged {
  const seen = state.seen.find(({ unique }) => unique === request.unique);
  if (seen) {
    return seen.fingerprint === fingerprint(request)
      ? { accept: 'again', id: seen.id }
      : { refuse: 'KEY_REUSED' };
  }
  const first = request.again ? undefined : releaseWithTag(state, request.tag);
  return first === undefined ? { accept: 'new' } : { refuse: 'ALREADY_RELEASED', first };
}

const releaseWithTag = ({ released }: ReleasesState, tag: string): string | undefined =>
  released.find(({ tags }) => tags.includes(tag))?.id;

/** Gives it a date; from now on its key, its tag and its place in the order are taken. */
export function accept(
  state: ReleasesState,
  { request, now }: { request: ReleaseRequest; now: number },
): { state: ReleasesState; names: ReleaseNames } {
  const names = releaseNames(state.app, nextDate(state.last, now));
  const id = names.gitTag;
  const oldest = new Date(now - SEEN_FOR_MS).toISOString();
  const seen = state.seen.filter(({ at }) => at >= oldest).slice(-(SEEN_KEPT - 1));
  const key = {
    unique: request.unique,
    id,
    fingerprint: fingerprint(request),
    at: new Date(now).toISOString(),
  };
  const taken = withImages(state, { id, tags: [request.tag, names.gitTag, names.imageTag] });
  const next: ReleasesState = { ...taken, last: names.date, seen: [...seen, key] };
  return { state: enlist(next, { id, round: 0 }), names };
}

/** Its workflow never came to be: as if it had not been asked for, but its date is gone. */
export function withdraw(state: ReleasesState, id: string): ReleasesState {
  return { ...leave(forget(state, id), id), seen: state.seen.filter((seen) => seen.id !== id) };
}

/**
 * Once a release knows its images. Of releases that hold the same ones, the first counts; asked again, the
 * answer is the same.
 * @returns `first`: they were released before, and nothing has changed
 */
export function claim(
  state: ReleasesState,
  { id, digests, tags, again }: ImageClaim,
): { state: ReleasesState; first?: string } {
  const key = digestKey(digests);
  const holders = state.released.filter((one) => one.digests === key).map((one) => one.id);
  const [first] = holders;
  if (first !== undefined && !again && !holders.includes(id)) return { state, first };
  return { state: withImages(state, { id, tags, digests: key }) };
}

export const digestKey = (digests: Record<string, string>): string =>
  Object.entries(digests)
    .map(([repository, digest]) => `${repository}@${digest}`)
    .sort()
    .join(' ');

function withImages(state: ReleasesState, given: ReleasedImages): ReleasesState {
  const known = state.released.find(({ id }) => id === given.id);
  const digests = given.digests ?? known?.digests;
  const tags = [...new Set([...(known?.tags ?? []), ...given.tags])];
  const one: ReleasedImages = { id: given.id, tags, ...(digests ? { digests } : {}) };
  const released = known
    ? state.released.map((other) => (other.id === one.id ? one : other))
    : [...state.released, one].sort(byId).slice(-RELEASED_KEPT);
  return { ...state, released };
}

/** Ids of an app differ in their date only: their order is that of acceptance. */
const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

const forget = (state: ReleasesState, id: string): ReleasesState => ({
  ...state,
  released: state.released.filter((one) => one.id !== id),
});

/** Its place is free; other releases may have it. */
function leave(state: ReleasesState, id: string): ReleasesState {
  const left = { ...state, waiting: state.waiting.filter((place) => place.id !== id) };
  if (state.running?.id === id) delete left.running;
  return left;
}

/** Behind those that wait. */
function enlist(state: ReleasesState, place: ReleasePlace): ReleasesState {
  return {
    ...leave(state, place.id),
    waiting: [...state.waiting.filter(({ id }) => id !== place.id), place],
  };
}

/** What a release says of itself. Said twice, or late, it changes nothing more. */
export function heed(state: ReleasesState, change: ReleaseStateChange): ReleasesState {
  const { id, round, tags, digests } = change;
  const gone = change.state === 'finished' && tags.length === 0;
  const known = gone
    ? forget(state, id)
    : withImages(state, { id, tags, ...(digests ? { digests: digestKey(digests) } : {}) });
  const place = placeOf(state, id);
  // What an earlier try said late is not about this one's place.
  if (place && place.round > round && change.state !== 'finished') return known;
  if (change.state !== 'ready') return leave(known, id);
  if (place?.round !== round) return enlist(known, { id, round });
  // It asks although it has the turn: it never heard of it, so it is told again.
  if (known.running?.id === id) return { ...leave(known, id), waiting: [place, ...known.waiting] };
  return known;
}

const placeOf = ({ running, waiting }: ReleasesState, id: string): ReleasePlace | undefined =>
  running?.id === id ? running : waiting.find((place) => place.id === id);

/** Who gets the turn now. */
export const nextTurn = ({ running, waiting }: ReleasesState): ReleasePlace | undefined =>
  running ? undefined : waiting[0];

export const giveTurn = (state: ReleasesState, place: ReleasePlace): ReleasesState => ({
  ...state,
  running: place,
  waiting: state.waiting.filter(({ id }) => id !== place.id),
});

export const idsHere = ({ running, waiting }: ReleasesState): string[] =>
  [...(running ? [running] : []), ...waiting].map(({ id }) => id);

export const viewOf = (state: ReleasesState): ReleasesView => ({
  app: state.app,
  ...(state.last ? { last: state.last } : {}),
  ...(state.running ? { running: state.running } : {}),
  waiting: state.waiting.slice(0, SHOWN),
  released: state.released.slice(-SHOWN).reverse(),
  seen: state.seen.slice(-SHOWN).reverse(),
});

/** What `releases` is made of where no run handed it over: its last run's memo, and what Temporal holds. */
export interface RecoveredReleases {
  running?: ReleasePlace;
  waiting: ReleasePlace[];
  released: ReleasedImages[];
  seen: SeenRelease[];
  /** Every date that was ever given, as far as it is known. */
  dates: string[];
}

/** What it was told while it was recovering stays. */
export function recover(state: ReleasesState, found: RecoveredReleases): ReleasesState {
  const here = new Set(idsHere(state));
  const running = state.running ?? found.running;
  const waiting = found.waiting.filter(({ id }) => !here.has(id) && id !== running?.id);
  const last = [...found.dates, ...(state.last ? [state.last] : [])].sort().at(-1);
  const known: ReleasesState = {
    ...state,
    ...(last ? { last } : {}),
    ...(running ? { running } : {}),
    waiting: [...waiting, ...state.waiting.filter(({ id }) => id !== running?.id)],
    seen: [...found.seen, ...state.seen],
  };
  return found.released.reduce(withImages, known);
}

export const datesOf = (app: string, ids: readonly string[]): string[] =>
  ids.flatMap((id) => dateOf(app, id) ?? []);

/** cyrb53: 53 bits tell one person's two requests apart; nobody attacks their own key. */
function hash(text: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return (4294967296 * (2097151 & low) + (high >>> 0)).toString(36);
}
