/** Reads a Dockerfile into instructions. */
import { BuilderError } from './error.mjs';

/**
 * @param {string} text
 * @returns {{ keyword: string, rest: string, source: string }[]} keywords in upper case
 */
export function parseDockerfile(text) {
  const instructions = [];
  let open = '';
  for (const line of text.split(/\r?\n/)) {
    // Comments may stand between the lines of one instruction.
    if (/^\s*#/.test(line) || (open === '' && line.trim() === '')) continue;
    open += line;
    if (open.endsWith('\\')) {
      open = open.slice(0, -1);
      continue;
    }
    instructions.push(instruction(open.trim()));
    open = '';
  }
  if (open.trim()) instructions.push(instruction(open.trim()));
  if (instructions.length === 0) throw new BuilderError('the Dockerfile cannot be empty');
  return instructions;
}

function instruction(source) {
  const [, keyword, rest] = /^(\S+)\s*([^]*)$/.exec(source);
  return { keyword: keyword.toUpperCase(), rest: rest.trim(), source };
}

/** `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:+other}` */
export function expand(text, variables) {
  return text.replace(
    /\\\$|\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})/g,
    (found, bare, braced, operator, word) => {
      if (found === '\\$') return '$';
      const value = variables[bare ?? braced] ?? '';
      if (operator === '-') return value || word;
      if (operator === '+') return value ? word : '';
      return value;
    },
  );
}

/** Words as a shell would split them: quotes hold them together and go away. */
export function words(text) {
  return [...text.matchAll(/(?:[^\s"']|"(?:[^"\\]|\\.)*"|'[^']*')+/g)].map(([word]) =>
    word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, (_, double, single) =>
      double === undefined ? single : double.replace(/\\(.)/g, '$1'),
    ),
  );
}

/** `A=b "C=d e"`; the old form `A b c` sets one. */
export function pairs(text) {
  const found = words(text);
  if (!found[0]?.includes('=')) return { [found[0]]: text.slice(found[0].length).trim() };
  return Object.fromEntries(
    found.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );
}

/** CMD and ENTRYPOINT: a JSON array, or words for the shell. */
export function commandOf(rest) {
  try {
    const json = JSON.parse(rest);
    if (Array.isArray(json)) return json.map(String);
  } catch {
    // the shell form
  }
  return ['/bin/sh', '-c', rest];
}
