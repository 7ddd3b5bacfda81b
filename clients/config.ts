/** Reads `sluice.yaml` at start. */
import { readFileSync } from 'node:fs';
import { parseConfig } from '../domain/config/parse.js';
import type { Config } from '../domain/config/config.js';

/** The process must not start; the message says why, a problem a line, and what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** @throws {ConfigError} */
export function loadConfig(path = process.env['SLUICE_CONFIG'] || 'sluice.yaml'): Config {
  const parsed = parseConfig(read(path), path, process.env['GITHUB_SERVER_URL'] || undefined);
  if ('config' in parsed) return parsed.config;
  throw new ConfigError(
    [`${path} is not a valid configuration:`, ...parsed.problems, 'Correct it and start again.'].join('\n'),
  );
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') {
      throw new ConfigError(
        `There is no configuration at ${path}.\nWrite one, or set SLUICE_CONFIG to where it is.`,
      );
    }
    throw new ConfigError(
      `The configuration at ${path} cannot be read (${code}).\nSet SLUICE_CONFIG to a readable file.`,
    );
  }
}
