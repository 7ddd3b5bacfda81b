/** Every error of the API: `{ error: { code, message, details? } }`, the code from `domain/codes.ts`. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Code, CodeEntry } from '../domain/codes.js';
import { CODES } from '../domain/codes.js';

/** A refusal, or an outage, that the person who asks is told of. */
export class ApiError extends Error {
  readonly code: Code;
  readonly status: number;
  readonly details: Record<string, unknown> | undefined;

  constructor(code: Code, message: string, details?: Record<string, unknown>) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.status = httpStatus(code);
    this.details = details;
  }
}

function httpStatus(code: Code): number {
  const entry: CodeEntry = CODES[code];
  return entry.http ?? 500;
}

export const notFound = (message: string, details?: Record<string, unknown>): ApiError =>
  new ApiError('NOT_FOUND', message, details);

export const badRequest = (message: string, details?: Record<string, unknown>): ApiError =>
  new ApiError('BAD_REQUEST', message, details);

interface Problem {
  /** Where in the request: `body/tag`, `querystring/limit`. */
  at: string;
  message: string;
}

/** One line for each thing that is wrong, in words that name what is allowed. */
function problemsOf(error: FastifyError): Problem[] {
  const context = error.validationContext ?? 'body';
  const seen = new Map<string, Problem>();
  for (const { instancePath, keyword, params, message = 'is not allowed' } of error.validation ?? []) {
    const at = `${context}${instancePath}`;
    const problem = { at, message: wording(keyword, params, message) };
    seen.set(`${at} ${problem.message}`, problem);
  }
  return [...seen.values()];
}

function wording(keyword: string, params: Record<string, unknown>, message: string): string {
  if (keyword === 'additionalProperties')
    return `does not know ${JSON.stringify(params['additionalProperty'])}`;
  if (keyword === 'enum' && Array.isArray(params['allowedValues'])) {
    return `must be one of ${params['allowedValues'].join(', ')}`;
  }
  return message;
}

function toApiError(error: FastifyError, bodyLimit: number | undefined): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error.validation) {
    const problems = problemsOf(error);
    const message = problems.map((problem) => `${problem.at} ${problem.message}`).join('; ');
    return badRequest(message, { problems });
  }
  if (error.statusCode === 413)
    return new ApiError('TOO_LARGE', `The body is larger than ${sizeOf(bodyLimit)}`);
  if (error.statusCode === 415) return new ApiError('NOT_JSON', 'Send the body as application/json');
  const refused = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500;
  return refused ? badRequest(error.message) : undefined;
}

const sizeOf = (bytes = 0): string => {
  const kibibytes = Math.floor(bytes / 1024);
  return kibibytes < 1024 ? `${kibibytes} KiB` : `${Math.floor(kibibytes / 1024)} MiB`;
};

/** What is not meant for the person stays in the log: a 5xx of our own says only that it happened. */
export function onError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = toApiError(error, request.routeOptions.bodyLimit);
  if (!known) request.log.error({ err: error }, 'unexpected error');
  else if (known.status >= 500) request.log.warn({ code: known.code, err: error.message }, 'cannot answer');
  const { status, code, message, details } =
    known ?? new ApiError('INTERNAL', `An error inside Sluice; the log has it under ${request.id}`);
  if (status === 401) void reply.header('www-authenticate', 'Bearer');
  if (status === 503) void reply.header('retry-after', '2');
  return reply.status(status).send({ error: { code, message, ...(details ? { details } : {}) } });
}

export const onUnknownRoute = (request: FastifyRequest): never => {
  throw notFound(
    `There is no ${request.method} ${request.url.split('?')[0]}; /openapi.json lists what there is`,
  );
};
