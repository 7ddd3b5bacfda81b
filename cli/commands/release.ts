import type { ShownRelease } from '../client.js';
import type { CliContext } from '../context.js';
import { EXIT, UsageError } from '../context.js';
import { followRelease } from '../follow-release.js';
import type { AskOptions } from './deploy.js';

export interface ReleaseOptions extends AskOptions {
  tag?: string;
  again?: boolean;
  override?: boolean;
}

interface Accepted {
  id: string;
  date: string;
  gitTag: string;
  imageTag: string;
  url: string;
}

const pathOf = (id: string, action = ''): string => `/api/releases/${encodeURIComponent(id)}${action}`;

/** Releases a tag, and follows it. */
export async function release(
  context: CliContext,
  app: string | undefined,
  options: ReleaseOptions,
): Promise<number> {
  const { client, io } = context;
  const { tag, again, override, reason, wait, json } = options;
  if (app === undefined) throw new UsageError('Name the app: sluice release <app> --tag <tag>');
  if (tag === undefined) throw new UsageError('Give --tag: the tag of the image set to release');
  if (override && reason === undefined) throw new UsageError('Give --reason with --override');
  const accepted = await client.send<Accepted>('POST', '/api/releases', {
    app,
    tag,
    ...(again ? { again } : {}),
    ...(override ? { override } : {}),
    ...(reason === undefined ? {} : { reason }),
  });
  if (!wait) {
    io.out(json ? JSON.stringify(accepted) : accepted.id);
    return EXIT.success;
  }
  if (!json) io.out(`accepted ${accepted.id} (image tag ${accepted.imageTag})`);
  return followRelease(context, { id: accepted.id, ...(json ? { json } : {}) });
}

/** Follows a release that somebody asked for. */
export const watchRelease = (
  context: CliContext,
  id: string,
  { json }: { json?: boolean },
): Promise<number> => followRelease(context, { id, ...(json ? { json } : {}) });

/** Lets a blocked release go on, and follows it. */
export async function retryRelease(
  context: CliContext,
  id: string,
  options: AskOptions & { override?: boolean },
): Promise<number> {
  const { client, io } = context;
  const { reason, override, wait, json } = options;
  if (override && reason === undefined) throw new UsageError('Give --reason with --override');
  const { retries = 0 } = await client.get<ShownRelease>(pathOf(id));
  await client.send('POST', pathOf(id, '/retry'), {
    ...(override ? { override } : {}),
    ...(reason === undefined ? {} : { reason }),
  });
  if (!wait) {
    io.out(json ? JSON.stringify({ id }) : id);
    return EXIT.success;
  }
  return followRelease(context, { id, retries: retries + 1, ...(json ? { json } : {}) });
}

/** Ends a blocked release, and says what exists already. */
export async function abandonRelease(context: CliContext, id: string, options: AskOptions): Promise<number> {
  const { client, io } = context;
  const { reason, wait, json } = options;
  await client.send('POST', pathOf(id, '/abandon'), reason === undefined ? {} : { reason });
  if (!wait) {
    io.out(json ? JSON.stringify({ id }) : id);
    return EXIT.success;
  }
  return followRelease(context, { id, wanted: 'abandoned', ...(json ? { json } : {}) });
}
