/** What is in a request's body, refused in GitHub's words where it is something else. */
import { failed, Refused } from './answers.js';

export type Fields = Record<string, unknown>;

export const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** 422 as GitHub says it before anything is looked at. */
export const badRequest = (what: string): Refused => new Refused(failed(422, `Invalid request.\n\n${what}`));

const wrong = (name: string, value: unknown, wanted: string): Refused =>
  badRequest(`For 'properties/${name}', ${JSON.stringify(value) ?? 'nil'} is not ${wanted}.`);

/** @throws Refused where it is neither a text, null nor absent */
export function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw wrong(name, value, 'a string');
  return value;
}

/** @throws Refused where there is no such text */
export function required(fields: Fields, name: string): string {
  const value = text(fields, name);
  if (value === undefined) throw badRequest(`"${name}" wasn't supplied.`);
  return value;
}

/** @throws Refused where it is neither true, false nor absent */
export function flag(fields: Fields, name: string, otherwise: boolean): boolean {
  const value = fields[name] ?? otherwise;
  if (typeof value !== 'boolean') throw wrong(name, value, 'a boolean');
  return value;
}

/** @throws Refused where it is neither a list of texts nor absent */
export function texts(fields: Fields, name: string): string[] | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw wrong(name, value, 'an array');
  return value.map((one: unknown, at) => {
    if (typeof one !== 'string') throw wrong(`${name}/items/${at}`, one, 'a string');
    return one;
  });
}
