import type { ShownDeployment, ShownRelease } from '../client.js';
import type { CliContext } from '../context.js';
import { EXIT, UsageError } from '../context.js';
import { historyLines, releaseHistoryLines } from '../render-history.js';

export interface HistoryOptions {
  app?: string;
  environment?: string;
  kind?: string;
  outcome?: string;
  actor?: string;
  limit?: string;
  cursor?: string;
  /** Published releases instead of deployments. */
  releases?: boolean;
  json?: boolean;
}

interface Page<T> {
  items: T[];
  cursor?: string;
}

/** Past deployments, or releases, those under way first. */
export async function history({ client, io }: CliContext, options: HistoryOptions): Promise<number> {
  const { json, releases, ...filter } = options;
  if (releases && (filter.environment !== undefined || filter.kind !== undefined)) {
    throw new UsageError('--releases takes --app, --outcome and --actor: a release is no deployment');
  }
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value !== undefined) query.set(name, value);
  const asked = `?${query.toString()}`;
  const page = releases
    ? await client.get<Page<ShownRelease>>(`/api/releases${asked}`)
    : await client.get<Page<ShownDeployment>>(`/api/deployments${asked}`);
  if (json) {
    io.out(JSON.stringify(page));
    return EXIT.success;
  }
  const lines = releases
    ? releaseHistoryLines(page.items as ShownRelease[], io.now())
    : historyLines(page.items as ShownDeployment[], io.now());
  for (const line of lines) io.out(line);
  if (page.cursor) io.out(`more: add --cursor ${page.cursor}`);
  return EXIT.success;
}
