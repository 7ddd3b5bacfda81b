/** The payloads of GitHub's own documentation, by event. */
import { createRequire } from 'node:module';

export interface Example {
  event: string;
  payload: Record<string, unknown>;
}

// The package's types are of another module system than its file.
const packaged = createRequire(import.meta.url)('@octokit/webhooks-examples') as {
  name: string;
  examples: Record<string, unknown>[];
}[];

export const EXAMPLES: Example[] = packaged.flatMap(({ name, examples }) =>
  examples.map((payload) => ({ event: name, payload })),
);
