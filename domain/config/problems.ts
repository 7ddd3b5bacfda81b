/** From what the validator says to what a person can act on: the key, what is expected, what is there. */
import type { ErrorObject } from 'ajv';

/** Keys and indexes from the root of the document. */
export type Path = readonly (string | number)[];

export interface Problem {
  path: Path;
  message: string;
}

/** `apps.api.images[0].repository`; keys that would be misread stand in brackets and quotes. */
export const showPath = (path: Path): string =>
  path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      if (!/^[\w-]+$/.test(part)) return `[${JSON.stringify(part)}]`;
      return index === 0 ? part : `.${part}`;
    })
    .join('');

/** @returns the known word that `word` most likely stands for, undefined where none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_\s]/g, '');
  const limit = Math.max(1, Math.floor(word.length / 3));
  let best: { word: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(plain(word), plain(candidate));
    if (distance <= limit && (!best || distance < best.distance)) best = { word: candidate, distance };
  }
  return best?.word;
}

/** Optimal string alignment: a swap of neighbours, the commonest slip, counts as one. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

const SHOWN = 60;

/** A value as an error may show it: short, and no password of a URL (rule 7). */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty map' : 'a map';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return typeof value;
  const text = value.replaceAll(/\/\/[^/\s]*@/g, '//[…]@');
  return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
}

/** All problems that the validator found; it must run with `allErrors` and `verbose`. */
export function problemsOf(errors: readonly ErrorObject[], root: unknown): Problem[] {
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf').map(({ schemaPath }) => schemaPath);
  // The branches of a union tell of forms that were not meant: only the union itself is reported.
  const own = errors.filter(({ schemaPath }) => !unions.some((union) => schemaPath.startsWith(`${union}/`)));
  return own.map((error) => problemOf(error, root));
}

function problemOf(error: ErrorObject, root: unknown): Problem {
  const path = pathOf(error.instancePath, root);
  if (error.keyword === 'additionalProperties') {
    const key = String(error.params['additionalProperty']);
    return { path: [...path, key], message: unknownKey(key, Object.keys(propertiesOf(error))) };
  }
  if (error.keyword === 'required') {
    const key = String(error.params['missingProperty']);
    const expected = propertiesOf(error)[key]?.description ?? 'a value';
    return { path: [...path, key], message: `missing, expected ${expected}` };
  }
  const { description, type } = (error.parentSchema ?? {}) as { description?: string; type?: string };
  const words = description || (error.message ?? 'something else').replace(/^must be /, '');
  const expected =
    error.keyword === 'type' && type === 'string' && !words.startsWith('a string')
      ? `a string: ${words}`
      : words;
  return { path, message: `expected ${expected}, got ${showValue(error.data)}` };
}

export function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  return meant ? `unknown key; did you mean "${meant}"?` : `unknown key; known are ${known.join(', ')}`;
}

const propertiesOf = (error: ErrorObject): Record<string, { description?: string }> =>
  ((error.parentSchema as { properties?: object } | undefined)?.properties ?? {}) as Record<
    string,
    { description?: string }
  >;

/** A JSON pointer's parts; digits are an index only where a list is. */
function pathOf(pointer: string, root: unknown): Path {
  let value = root;
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
      const at = Array.isArray(value) ? Number(key) : key;
      value = (value as Record<string | number, unknown> | undefined)?.[at];
      return at;
    });
}
