import type { ShownDeployment } from '../client.js';
import type { CliContext } from '../context.js';
import { EXIT } from '../context.js';
import { historyLines } from '../render.js';

export interface HistoryOptions {
  app?: string;
  environment?: string;
  kind?: string;
  outcome?: string;
  actor?: string;
  limit?: string;
  cursor?: string;
  json?: boolean;
}

/** Past deployments, those under way first. */
export async function history({ client, io }: CliContext, options: HistoryOptions): Promise<number> {
  const { json, ...filter } = options;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value !== undefined) query.set(name, value);
  const page = await client.get<{ items: ShownDeployment[]; cursor?: string }>(
    `/api/deployments?${query.toString()}`,
  );
  if (json) {
    io.out(JSON.stringify(page));
    return EXIT.success;
  }
  for (const line of historyLines(page.items)) io.out(line);
  if (page.cursor) io.out(`more: add --cursor ${page.cursor}`);
  return EXIT.success;
}
