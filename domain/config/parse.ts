/** `sluice.yaml` from text to `Config`, or everything that is wrong with it. */
import { Ajv } from 'ajv';
import { checkConfig } from './checks.js';
import { fillConfig } from './fill.js';
import { FORMATS } from './formats.js';
import { problemsOf, showPath } from './problems.js';
import { ConfigSchema, type ConfigFile } from './schema.js';
import { readSource } from './source.js';
import type { Config } from './config.js';

const validate = new Ajv({ allErrors: true, verbose: true, formats: FORMATS }).compile<ConfigFile>(
  ConfigSchema,
);

/**
 * @param file name for the messages
 * @param githubUrl where the repository is cloned from unless `repository.cloneUrl` says so
 * @returns problems in the order of their lines: `sluice.yaml:14: apps.api.build: expected …, got …`
 */
export function parseConfig(
  text: string,
  file: string,
  githubUrl = 'https://github.com',
): { config: Config } | { problems: string[] } {
  const source = readSource(text);
  if (Array.isArray(source)) {
    return { problems: source.map(({ line, message }) => `${file}:${line}: ${message}`) };
  }
  const { value } = source;
  if (value === null || value === undefined) {
    return { problems: [`${file}:1: the file is empty, expected a configuration`] };
  }
  const valid = validate(value);
  const problems = [...problemsOf(validate.errors ?? [], value), ...checkConfig(value)];
  if (valid && problems.length === 0) return { config: fillConfig(value, githubUrl) };
  return {
    problems: problems
      .map(({ path, message }) => ({ line: source.lineOf(path), path, message }))
      .sort((a, b) => a.line - b.line)
      .map(
        ({ line, path, message }) => `${file}:${line}: ${path.length ? `${showPath(path)}: ` : ''}${message}`,
      ),
  };
}
