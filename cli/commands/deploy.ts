import type { Accepted } from '../client.js';
import type { CliContext } from '../context.js';
import { EXIT, UsageError } from '../context.js';
import { followToEnd } from '../follow.js';

export interface AskOptions {
  reason?: string;
  /** False: print the id and go. */
  wait: boolean;
  json?: boolean;
}

export interface DeployOptions extends AskOptions {
  tag?: string;
  commit?: string;
  override?: boolean;
}

/** Deploys a tag or a commit, and follows it. */
export function deploy(
  context: CliContext,
  target: { app: string; environment: string },
  { tag, commit, override, ...options }: DeployOptions,
): Promise<number> {
  if ((tag === undefined) === (commit === undefined)) {
    throw new UsageError('Give exactly one of --tag and --commit');
  }
  if (override && options.reason === undefined) throw new UsageError('Give --reason with --override');
  const what = { ...(tag === undefined ? { commit } : { tag }), ...(override ? { override } : {}) };
  return ask({ context, path: '/api/deployments', body: { ...target, ...what }, options });
}

/** Deploys again what an ended deployment deployed, and follows it. */
export const retry = (context: CliContext, id: string, options: AskOptions): Promise<number> =>
  ask({ context, path: `/api/deployments/${encodeURIComponent(id)}/retry`, body: {}, options });

/** Asks, and follows what was accepted. */
export async function ask(of: {
  context: CliContext;
  path: string;
  body: object;
  options: AskOptions;
}): Promise<number> {
  const { client, io } = of.context;
  const { reason, wait, json } = of.options;
  const body = { ...of.body, ...(reason === undefined ? {} : { reason }) };
  const accepted = await client.send<Accepted>('POST', of.path, body);
  if (!wait) {
    io.out(json ? JSON.stringify(accepted) : accepted.id);
    return EXIT.success;
  }
  if (!json) io.out(`accepted ${accepted.id}`);
  return followToEnd(of.context, { id: accepted.id, ...(json ? { json: 'final' } : {}) });
}
