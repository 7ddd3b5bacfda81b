/** One call of the AWS API: which operation, which fault, what answer, one line in the call log. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallLog } from './calls.js';
import type { Fault, Faults } from './faults.js';
import { AwsError, readBody, sendAws } from './protocol.js';
import type { Operation } from './protocol.js';
import { registryOperation } from './registry.js';

export interface Api {
  operations: { ecs: Record<string, Operation>; ecr: Record<string, Operation> };
  faults: Faults;
  calls: CallLog;
}

const TARGET = /^AmazonEC2Container(Service|Registry)_?V\d+\.(\w+)$/;

export async function answerAws(api: Api, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, service, name = ''] = TARGET.exec(String(request.headers['x-amz-target'])) ?? [];
  const body = (await readBody(request)).toString('utf8');
  const system = service === 'Service' ? 'ecs' : 'ecr';
  const operation = service ? api.operations[system][name] : undefined;
  if (!operation)
    return sendAws(response, 400, { __type: 'UnknownOperationException', message: `No operation ${name}.` });
  const label = `${system}:${name}`;
  const at = Date.now();
  const { fault, struck } = await strike(api.faults, label);
  const { status, body: answer } = (fault && instead(fault, label)) ?? perform(operation, body);
  const lost = fault?.kind === 'lose-before' || fault?.kind === 'lose-after';
  api.calls.add({
    operation: label,
    at,
    status: lost ? 0 : status,
    effect: status === 200,
    ...(struck ? { fault: struck.kind } : {}),
    ...(status === 200 ? {} : { error: (answer as { __type?: string }).__type }),
  });
  if (lost) return void request.socket.destroy();
  if (fault?.kind === 'hold-after') await held(response, fault.delayMs);
  sendAws(response, status, answer);
}

const AN_HOUR_MS = 3_600_000;

/** Until the time is over, or whoever asked is gone. */
const held = (response: ServerResponse, ms = AN_HOUR_MS): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    timer.unref();
    response.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });

/** Waits out a delay; `fault` is what else strikes, `struck` the first of all. */
async function strike(faults: Faults, label: string): Promise<{ fault?: Fault; struck?: Fault }> {
  const all = faults.strike(label);
  for (const fault of all) if (fault.kind === 'delay') await sleep(fault.delayMs ?? 1_000);
  return { fault: all.find((one) => one.kind !== 'delay'), struck: all[0] };
}

interface Answer {
  status: number;
  body: object;
}

const failure = (status: number, type: string, message: string): Answer => ({
  status,
  body: { __type: type, message },
});

/** What is answered in place of the effect; undefined where the effect comes first. */
function instead(fault: Fault, label: string): Answer | undefined {
  if (fault.kind === 'throttle') return failure(400, 'ThrottlingException', 'Rate exceeded');
  if (fault.kind === 'error')
    return failure(500, 'ServerException', 'Service Unavailable. Please try again later.');
  if (fault.kind === 'lose-before') return failure(503, 'Lost', 'nothing was done');
  if (fault.kind === 'deny') {
    const message = fault.message ?? `User is not authorized to perform: ${label}`;
    return failure(400, 'AccessDeniedException', message);
  }
  return undefined;
}

function perform(operation: Operation, body: string): Answer {
  try {
    return { status: 200, body: operation(JSON.parse(body || '{}')) };
  } catch (error) {
    if (error instanceof AwsError) return failure(error.status, error.type, error.message);
    if (error instanceof SyntaxError) return failure(400, 'SerializationException', 'The body is not JSON.');
    return failure(500, 'ServerException', error instanceof Error ? error.message : 'unknown');
  }
}

const REGISTRY_STATUS: Partial<Record<Fault['kind'], number>> = { throttle: 429, error: 500, deny: 403 };

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The registry with the same faults and in the same log, as `registry:PutManifest` and so on. */
export const withFaults =
  ({ faults, calls }: Api, handle: Handler): Handler =>
  async (request, response) => {
    const label = `registry:${registryOperation(request)}`;
    const resource = /^\/v2\/(.+?)\/(?:manifests|blobs|tags)\//.exec(request.url ?? '')?.[1];
    const at = Date.now();
    const { fault, struck } = await strike(faults, label);
    const log = (status: number, effect: boolean): void =>
      calls.add({
        operation: label,
        resource,
        at,
        status,
        effect,
        ...(struck ? { fault: struck.kind } : {}),
      });
    const refused = fault && REGISTRY_STATUS[fault.kind];
    if (refused) {
      log(refused, false);
      return void response.writeHead(refused).end();
    }
    if (fault?.kind === 'lose-before') {
      log(0, false);
      return void request.socket.destroy();
    }
    // Nothing is sent before `end`: there, what was asked is done and its answer can still be lost or held.
    const end = response.end.bind(response) as (body?: unknown) => ServerResponse;
    response.end = ((body?: unknown) => {
      const lost = fault?.kind === 'lose-after';
      log(lost ? 0 : response.statusCode, response.statusCode < 400);
      if (lost) request.socket.destroy();
      else if (fault?.kind === 'hold-after') void held(response, fault.delayMs).then(() => end(body));
      else end(body);
      return response;
    }) as typeof response.end;
    await handle(request, response);
  };
