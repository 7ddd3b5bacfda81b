/**
 * Rule 1, one writer: a lane gives the turn to one deployment at a time, in order of acceptance among those
 * that are ready; a rollback goes first; a locked lane gives none. Pure: the workflow `lane` is its wiring.
 */
import { knownBad, markOf } from './bad.js';
import type { DeploymentRequest, Target } from './deployment.js';
import type { BadMark, LaneEnd, LaneView, LiveRelease, Lock, Ticket } from './messages.js';

/** Of an accepted request, to know it again when its key comes a second time. */
export interface SeenRequest {
  id: string;
  fingerprint: string;
  at: string;
}

/** Plain JSON: it is handed over at continue-as-new. `v` is raised when its meaning changes. */
export interface LaneState extends Target {
  v: 1;
  lock?: Lock;
  running?: Ticket;
  waiting: Ticket[];
  live?: LiveRelease;
  /** Newest first. */
  verified: LiveRelease[];
  /** Oldest first. Never removed. */
  bad: BadMark[];
  /** Oldest first. */
  seen: SeenRequest[];
}

/** As handed over by the run before; `bad` came later than `v: 1`. */
export type HandedOver = Omit<LaneState, 'bad'> & { bad?: BadMark[] };

export const load = (state: HandedOver): LaneState => ({ ...state, bad: state.bad ?? [] });

const VERIFIED_KEPT = 50;
const WAITING_SHOWN = 50;
const SEEN_KEPT = 2_000;
const SEEN_FOR_MS = 24 * 60 * 60 * 1000;

export const emptyLane = ({ app, environment }: Target): LaneState => ({
  v: 1,
  app,
  environment,
  waiting: [],
  verified: [],
  bad: [],
  seen: [],
});

/** What makes two requests the same: the body that the person sent. */
export const fingerprint = (request: DeploymentRequest): string =>
  JSON.stringify([
    request.kind,
    request.commit ?? null,
    request.tag,
    request.digests ?? null,
    request.reason ?? null,
    request.override ?? false,
    request.retryOf ?? null,
    // Only where they are given: what a lane remembers of older requests stays the same.
    ...(request.current ? ['current'] : []),
    ...(request.now ? ['now'] : []),
  ]);

export type Acceptance =
  | { accept: 'new' }
  | { accept: 'again' }
  | { refuse: 'KEY_REUSED' }
  | { refuse: 'LOCKED'; lock: Lock }
  | { refuse: 'RELEASE_BAD'; mark: BadMark };

/** A request that was accepted before is answered as before, also while the lane is locked. */
export function judgeRequest(lane: LaneState, request: DeploymentRequest): Acceptance {
  const seen = lane.seen.find(({ id }) => id === request.id);
  if (seen) return seen.fingerprint === fingerprint(request) ? { accept: 'again' } : { refuse: 'KEY_REUSED' };
  if (isHere(lane, request.id)) return { accept: 'again' };
  if (lane.lock && !passesLock(request) && !waitsAtLock(request))
    return { refuse: 'LOCKED', lock: lane.lock };
  const mark = request.override ? undefined : knownBad(lane, request);
  if (mark) return { refuse: 'RELEASE_BAD', mark };
  return { accept: 'new' };
}

/** `override` lifts a lane's lock for a rollback, and for nothing else. */
const passesLock = ({ kind, override }: Pick<Ticket, 'kind' | 'override'>): boolean =>
  kind === 'rollback' && override === true;

/** The promotion queue's own deployments wait at a locked lane; they do not fail for it. */
const waitsAtLock = ({ parent }: Pick<DeploymentRequest, 'parent'>): boolean => parent?.type === 'promotion';

/** The first mark of a release stands. */
export function markBad(lane: LaneState, mark: BadMark): LaneState {
  const bad = addMark(lane.bad, mark);
  return bad === lane.bad ? lane : { ...lane, bad };
}

const addMark = (bad: BadMark[], mark: BadMark): BadMark[] =>
  markOf(bad, mark.release) ? bad : [...bad, mark];

/** What a rollback of production replaces: whatever waits, and is no rollback itself. */
export function supersede(lane: LaneState): { lane: LaneState; superseded: Ticket[] } {
  const superseded = lane.waiting.filter(({ kind }) => kind !== 'rollback');
  if (superseded.length === 0) return { lane, superseded };
  return { lane: { ...lane, waiting: lane.waiting.filter(({ kind }) => kind === 'rollback') }, superseded };
}

export const ticketOf = (request: DeploymentRequest): Ticket => ({
  id: request.id,
  kind: request.kind,
  tag: request.tag,
  actor: request.actor,
  queuedAt: request.queuedAt,
  ready: false,
  ...(passesLock(request) ? { override: true } : {}),
});

/** Takes the place in the order of `queuedAt`, which is the order of acceptance. */
export function enlist(lane: LaneState, ticket: Ticket): LaneState {
  if (isHere(lane, ticket.id)) return lane;
  const after = lane.waiting.findIndex(({ queuedAt }) => queuedAt > ticket.queuedAt);
  const at = after === -1 ? lane.waiting.length : after;
  return { ...lane, waiting: [...lane.waiting.slice(0, at), ticket, ...lane.waiting.slice(at)] };
}

export function remember(lane: LaneState, request: DeploymentRequest): LaneState {
  const oldest = new Date(Date.parse(request.queuedAt) - SEEN_FOR_MS).toISOString();
  const kept = lane.seen.filter(({ at }) => at >= oldest).slice(-(SEEN_KEPT - 1));
  return {
    ...lane,
    seen: [...kept, { id: request.id, fingerprint: fingerprint(request), at: request.queuedAt }],
  };
}

/** Built, or with nothing to build. One that the lane has lost is enlisted. */
export function markReady(lane: LaneState, ticket: Ticket): LaneState {
  if (lane.running?.id === ticket.id) return lane;
  const here = enlist(lane, ticket);
  return {
    ...here,
    waiting: here.waiting.map((one) =>
      // A recovered place does not know of the override: the deployment itself does.
      one.id === ticket.id ? { ...one, ...(ticket.override ? { override: true } : {}), ready: true } : one,
    ),
  };
}

/** Who gets the turn now; nobody while one runs, and a locked lane gives it to overriding rollbacks only. */
export function nextTurn(lane: LaneState): Ticket | undefined {
  if (lane.running) return undefined;
  const ready = lane.waiting.filter((ticket) => ticket.ready && (!lane.lock || passesLock(ticket)));
  return ready.find(({ kind }) => kind === 'rollback') ?? ready[0];
}

export const giveTurn = (lane: LaneState, ticket: Ticket): LaneState => ({
  ...lane,
  running: ticket,
  waiting: lane.waiting.filter(({ id }) => id !== ticket.id),
});

/**
 * A promotion had the turn and cannot use it now: it waits on, in its old place, and is ready again when it says so.
 * A rollback that was asked for while it had the turn replaces it, as all that waits in production.
 */
export function giveBack(lane: LaneState, ticket: Ticket): { lane: LaneState; supersededBy?: string } {
  if (lane.running?.id !== ticket.id) return { lane };
  const { running, ...rest } = lane;
  const rollback = lane.waiting.find(({ kind }) => kind === 'rollback');
  if (rollback) return { lane: rest, supersededBy: rollback.id };
  return { lane: enlist(rest, { ...running, ready: false }) };
}

/** It has ended, however: its place is free. Only a verified success counts as verified (rule 3). */
export function end(lane: LaneState, { id, live }: LaneEnd): LaneState {
  const { running, ...rest } = lane;
  const freed: LaneState = {
    ...rest,
    ...(running && running.id !== id ? { running } : {}),
    waiting: lane.waiting.filter((ticket) => ticket.id !== id),
  };
  if (!live) return freed;
  if (!live.verified) return { ...freed, live };
  const others = lane.verified.filter(({ release }) => release !== live.release);
  return { ...freed, live, verified: [live, ...others].slice(0, VERIFIED_KEPT) };
}

export const lock = (lane: LaneState, held: Lock): LaneState => ({ ...lane, lock: held });

export function unlock(lane: LaneState): LaneState {
  const open = { ...lane };
  delete open.lock;
  return open;
}

/**
 * How many go before it; 0: it runs, or is next with nothing running. A rollback stands before everything
 * that waits and is no rollback. Undefined: it is not here.
 */
export function positionOf(lane: Pick<LaneState, 'running' | 'waiting'>, id: string): number | undefined {
  if (lane.running?.id === id) return 0;
  const order = [
    ...lane.waiting.filter(({ kind }) => kind === 'rollback'),
    ...lane.waiting.filter(({ kind }) => kind !== 'rollback'),
  ];
  const index = order.findIndex((ticket) => ticket.id === id);
  return index === -1 ? undefined : index + (lane.running ? 1 : 0);
}

/** Accepted before, whether it still holds a place or not. */
export const wasSeen = (lane: LaneState, id: string): boolean =>
  lane.seen.some((seen) => seen.id === id) || isHere(lane, id);

/** Ids of everything that holds a place. */
export const idsHere = (lane: LaneState): string[] => [
  ...(lane.running ? [lane.running.id] : []),
  ...lane.waiting.map(({ id }) => id),
];

export const isHere = (lane: LaneState, id: string): boolean =>
  lane.running?.id === id || lane.waiting.some((ticket) => ticket.id === id);

export const viewOf = (lane: LaneState): LaneView => ({
  app: lane.app,
  environment: lane.environment,
  ...(lane.lock ? { lock: lane.lock } : {}),
  ...(lane.running ? { running: lane.running } : {}),
  waiting: lane.waiting.slice(0, WAITING_SHOWN),
  waitingCount: lane.waiting.length,
  ...(lane.live ? { live: lane.live } : {}),
  verified: lane.verified,
  bad: lane.bad,
});

/** What a lane that starts without handed-over state is made of: what its last run left, and what is alive. */
export interface RecoveredLane {
  lock?: Lock;
  live?: LiveRelease;
  verified: LiveRelease[];
  /** Absent in histories of earlier versions. */
  bad?: BadMark[];
  running?: Ticket;
  waiting: Ticket[];
}

/** Requests that came while it was recovering keep their place. */
export function recover(lane: LaneState, found: RecoveredLane): LaneState {
  const recovered: LaneState = {
    ...lane,
    ...(found.lock && !lane.lock ? { lock: found.lock } : {}),
    ...(found.live && !lane.live ? { live: found.live } : {}),
    ...(found.running && !lane.running ? { running: found.running } : {}),
    verified: lane.verified.length > 0 ? lane.verified : found.verified,
    bad: lane.bad.reduce(addMark, found.bad ?? []),
  };
  return found.waiting.reduce(enlist, {
    ...recovered,
    waiting: recovered.waiting.filter(({ id }) => id !== recovered.running?.id),
  });
}
