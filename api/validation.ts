/** Bodies are taken as they are sent; only a query, which is all text, is turned into numbers. */
import type { FastifySchemaCompiler } from 'fastify';
import { Ajv } from 'ajv';

const options = {
  allErrors: true,
  removeAdditional: false,
  useDefaults: true,
  // `title`, `description` and `example` are for OpenAPI.
  strict: false,
} as const;

const strict = new Ajv({ ...options, coerceTypes: false });
const ofText = new Ajv({ ...options, coerceTypes: true });

export const validatorCompiler: FastifySchemaCompiler<object> = ({ schema, httpPart }) =>
  (httpPart === 'querystring' ? ofText : strict).compile(schema);
