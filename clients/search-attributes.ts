/** Workflows loop on a search attribute that is not registered: whoever starts first registers what is missing. */
import { SEARCH_ATTRIBUTE } from '../domain/messages.js';
import type { Temporal } from './temporal.js';

/** `INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API. */
const KEYWORD = 2;

type Where = Pick<Temporal, 'connection' | 'namespace'>;

export async function missingSearchAttributes({ connection, namespace }: Where): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return Object.values(SEARCH_ATTRIBUTE).filter((name) => !(name in customAttributes));
}

/** What to run by hand. */
export const searchAttributesCommand = (namespace: string, missing: readonly string[]): string =>
  `temporal operator search-attribute create --namespace ${namespace} ` +
  missing.map((name) => `--name ${name} --type Keyword`).join(' ');

/**
 * @returns those that were added
 * @throws Error that says what to run, where they are missing and may not be added
 */
export async function registerSearchAttributes(temporal: Where): Promise<string[]> {
  const { connection, namespace } = temporal;
  const missing = await missingSearchAttributes(temporal);
  if (missing.length === 0) return [];
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
    });
  } catch (error) {
    // Another process may have been faster.
    if ((await missingSearchAttributes(temporal)).length === 0) return [];
    throw new Error(
      `Temporal lacks search attributes and does not let us add them (${(error as Error).message}). ` +
        `Run: ${searchAttributesCommand(namespace, missing)}`,
      { cause: error },
    );
  }
  return missing;
}
