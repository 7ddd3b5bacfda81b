/** AWS JSON 1.1 over HTTP, as the SDK's ECS and ECR clients speak it. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** An error as AWS words it: `type` is the exception's name, which the SDK turns into `error.name`. */
export class AwsError extends Error {
  constructor(
    readonly type: string,
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

export type Operation = (input: unknown) => object;

/** One cast, at the edge: the SDK's own input type describes what its client sends. */
export const operation =
  <Input>(handler: (input: Input) => object): Operation =>
  (input) =>
    handler(input as Input);

/** AWS sends timestamps as seconds since the epoch, with fractions. */
export const seconds = (ms: number): number => Math.round(ms) / 1000;

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export function sendAws(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.1',
    'x-amzn-requestid': randomUUID(),
  });
  response.end(JSON.stringify(body));
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body ?? {}));
}

/** `page` of `items`, AWS's way: an opaque token where there is more. */
export function paginate<T>(
  items: readonly T[],
  { maxResults = 100, nextToken }: { maxResults?: number; nextToken?: string },
): { page: T[]; nextToken?: string } {
  const start = nextToken ? Number(Buffer.from(nextToken, 'base64').toString()) || 0 : 0;
  const end = start + maxResults;
  return {
    page: items.slice(start, end),
    ...(end < items.length ? { nextToken: Buffer.from(String(end)).toString('base64') } : {}),
  };
}
