/** The repository's webhooks, and the log of what was sent to them. */
import { randomUUID } from 'node:crypto';
import { WebhookFaults } from './faults.js';
import { headersOf, send, UNREACHED, type Answered, type Outgoing } from './send.js';

export interface HookOptions {
  url: string;
  /** Absent: deliveries are not signed. */
  secret?: string;
  /** `*`, the default: all. */
  events?: string[];
  active?: boolean;
}

export interface Hook {
  id: number;
  url: string;
  secret?: string;
  events: string[];
  active: boolean;
  createdAt: string;
  updatedAt: string;
  last?: Answered;
}

/** One attempt. */
export interface Delivery {
  id: number;
  hookId: number;
  /** `X-GitHub-Delivery`: a redelivery has it too. */
  guid: string;
  event: string;
  action: string | null;
  redelivery: boolean;
  /** ISO 8601 */
  deliveredAt: string;
  url: string;
  headers: Record<string, string>;
  /** What was sent, as text. */
  body: string;
  /** Absent: it is under way, or held. */
  answer?: Answered;
  durationMs?: number;
}

export interface Message {
  event: string;
  payload: Record<string, unknown>;
  /** Only this one. */
  hookId?: number;
}

const KEPT = 1_000;

export class Hooks {
  readonly hooks: Hook[] = [];
  /** Oldest first, the last thousand. */
  readonly deliveries: Delivery[] = [];
  readonly faults = new WebhookFaults();
  readonly #closing = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(
    readonly repositoryId: number,
    private readonly nextId: () => number,
  ) {}

  add({ url, secret, events = ['*'], active = true }: HookOptions): Hook {
    const at = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const hook = { id: this.nextId(), url, secret, events, active, createdAt: at, updatedAt: at };
    this.hooks.push(hook);
    return hook;
  }

  hook(id: number): Hook | undefined {
    return this.hooks.find((one) => one.id === id);
  }

  /** To every hook that wants it; returns at once. */
  announce({ event, payload, hookId }: Message): void {
    const body = JSON.stringify(payload);
    const { action } = payload;
    for (const hook of this.hooks) {
      const wants = hook.active && [event, '*'].some((one) => hook.events.includes(one));
      if (hookId === undefined ? !wants : hook.id !== hookId) continue;
      const what = { event, action: typeof action === 'string' ? action : null, guid: randomUUID(), body };
      void this.#start(this.#deliver(hook, what));
    }
  }

  /** Sends what a delivery sent once more, with its `X-GitHub-Delivery`. @returns undefined where it is unknown */
  redeliver(id: number): Promise<Delivery> | undefined {
    const before = this.deliveries.find((one) => one.id === id);
    const hook = before && this.hook(before.hookId);
    if (!hook) return undefined;
    const { event, action, guid, body } = before;
    return this.#start(this.#attempt(hook, { event, action, guid, body }, { redelivery: true }));
  }

  /** Until nothing is under way; what is held is. */
  async settled(): Promise<void> {
    while (this.#underWay.size) await Promise.all(this.#underWay);
  }

  close(): void {
    this.#closing.abort();
    this.faults.clear();
  }

  #start<Result>(work: Promise<Result>): Promise<Result> {
    this.#underWay.add(work);
    return work.finally(() => this.#underWay.delete(work));
  }

  async #deliver(hook: Hook, what: What): Promise<void> {
    const fault = this.faults.take(what.event, what.action);
    if (fault) await this.faults.wait(fault);
    await this.#attempt(hook, what, { isLost: fault?.kind === 'lost' });
    if (fault?.kind === 'twice') await this.#attempt(hook, what, {});
  }

  async #attempt(hook: Hook, what: What, { redelivery = false, isLost = false }: How): Promise<Delivery> {
    const { url, secret } = hook;
    const out: Outgoing = { ...what, url, secret, hookId: hook.id, repositoryId: this.repositoryId };
    const began = performance.now();
    const delivery: Delivery = {
      ...what,
      id: this.nextId(),
      hookId: hook.id,
      redelivery,
      deliveredAt: new Date().toISOString(),
      url,
      headers: headersOf(out),
    };
    this.deliveries.push(delivery);
    if (this.deliveries.length > KEPT) this.deliveries.shift();
    delivery.answer = isLost ? UNREACHED : await send(out, this.#closing.signal);
    delivery.durationMs = performance.now() - began;
    hook.last = delivery.answer;
    return delivery;
  }
}

type What = Pick<Delivery, 'event' | 'action' | 'guid' | 'body'>;

interface How {
  redelivery?: boolean;
  isLost?: boolean;
}
