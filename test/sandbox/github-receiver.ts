/** Who a webhook is sent to, and what its payloads look like at GitHub itself. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';

export interface Received {
  event: string;
  guid: string;
  headers: Record<string, string | string[] | undefined>;
  /** As it came. */
  raw: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
}

export interface Receiver {
  url: string;
  /** In the order in which they came. */
  received: Received[];
  of(event: string): Received[];
  /** How it answers from now on. */
  answer(status: number): void;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let status = 202;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString('utf8');
      const { headers } = request;
      const [event, guid] = [headers['x-github-event'], headers['x-github-delivery']].map(String);
      received.push({ event: event ?? '', guid: guid ?? '', headers, raw, body: JSON.parse(raw) });
      response.writeHead(status, { 'content-type': 'text/plain' }).end('heard');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/github`,
    received,
    of: (event) => received.filter((one) => one.event === event),
    answer: (next) => {
      status = next;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

interface Examples {
  name: string;
  examples: object[];
}

function examplesOf(event: string): object[] {
  const all = createRequire(import.meta.url)('@octokit/webhooks-examples') as
    Examples[] | { default: Examples[] };
  const list = Array.isArray(all) ? all : all.default;
  return list.find(({ name }) => name === event)?.examples ?? [];
}

const kindOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;

const isObject = (value: unknown): value is Record<string, unknown> => kindOf(value) === 'object';

/** Where a value is not as the examples are: a field that each of them has is missing, or is of another kind. */
function differences(value: unknown, examples: unknown[], path: string): string[] {
  const kinds = new Set(examples.map(kindOf));
  const kind = kindOf(value);
  if (!kinds.has(kind)) {
    // Where the examples hold nothing they do not say what it is otherwise.
    const isOpen = kinds.size === 1 && kinds.has('null');
    return isOpen ? [] : [`${path} is ${kind}, not ${[...kinds].join(' or ')}`];
  }
  if (Array.isArray(value)) {
    const items = examples.filter(Array.isArray).flat() as unknown[];
    return items.length ? value.flatMap((one, at) => differences(one, items, `${path}[${at}]`)) : [];
  }
  if (!isObject(value)) return [];
  const objects = examples.filter(isObject);
  const names = new Set(objects.flatMap((one) => Object.keys(one)));
  return [...names].flatMap((name) => {
    const having = objects.filter((one) => name in one);
    if (name in value)
      return differences(
        value[name],
        having.map((one) => one[name]),
        `${path}.${name}`,
      );
    return having.length === objects.length ? [`${path}.${name} is missing`] : [];
  });
}

/** What a payload lacks of what GitHub's own examples of it have; empty where it is as they are. */
export function unlikeGitHub(event: string, payload: unknown): string[] {
  const examples = examplesOf(event);
  if (!examples.length) throw new Error(`There is no example of ${event}`);
  return differences(payload, examples, event);
}
