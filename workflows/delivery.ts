/**
 * Workflow `delivery/{X-GitHub-Delivery}`: one webhook, durable before it was answered. It finds what a push
 * touches and brings it there, or wakes the tests that follow a run. Whatever it does may be done again, so one
 * that failed may be delivered anew; what is lost all the same, `reconcile` finds.
 */
import { ApplicationFailure, setCurrentDetails } from '@temporalio/workflow';
import { newestOf } from '../domain/merges/routes.js';
import type { Delivered, MergesNews } from '../domain/messages.js';
import type { Merge } from '../domain/promotion/promotion.js';
import { shortTag } from '../domain/summary.js';
import { tells } from './effects.js';
import { bring, described, findMerges, type Refused } from './merges.js';

export interface DeliveryEnd {
  /** Head of the branch as it was seen. */
  head?: string;
  /** App → how many merges the push brought it. */
  merges: Record<string, number>;
  /** Apps that cannot be served now, with why; a later pass of `reconcile` tries them again. */
  refused: Refused[];
}

type Push = Extract<Delivered, { event: 'push' }>;

export async function delivery(delivered: Delivered): Promise<DeliveryEnd> {
  if (delivered.event === 'push') return await pushed(delivered);
  setCurrentDetails(`run ${delivered.id} at GitHub: ${delivered.action}`);
  await tells.tellTests({ id: delivered.id });
  return { merges: {}, refused: [] };
}

async function pushed({ before, after, sender }: Push): Promise<DeliveryEnd> {
  setCurrentDetails(`push \`${shortTag(before)}\` → \`${shortTag(after)}\``);
  const found = await findMerges({ before, after });
  const apps = await described(found.apps, sender);
  const { head } = found;
  const newest = await newestNow(apps, { after, head });
  const refused = await bring({ news: newsOf(apps, { head, before }), newest });
  const merges = Object.fromEntries(Object.entries(apps).map(([app, { length }]) => [app, length]));
  setCurrentDetails(detailsOf({ before, after }, merges, refused));
  throwUnlessRefused(refused);
  return { head, merges, refused };
}

const newsOf = (
  apps: Record<string, Merge[]>,
  pushed: Pick<MergesNews, 'head' | 'before'>,
): Record<string, MergesNews> =>
  Object.fromEntries(Object.entries(apps).map(([app, merges]) => [app, { ...pushed, merges }]));

/** Where the branch has moved on, its newest merges go to staging, not this push's: pushes are heard of in any order. */
async function newestNow(
  apps: Record<string, Merge[]>,
  { after, head }: { after: string; head: string },
): Promise<Record<string, Merge>> {
  if (head === after || Object.keys(apps).length === 0) return newestOf(apps);
  const { apps: later } = await findMerges({ before: after });
  return newestOf(apps, later);
}

/** A refusal is an answer, and the same tomorrow. Everything else ends it as failed: it may be delivered again. */
function throwUnlessRefused(refused: readonly Refused[]): void {
  const lost = refused.filter(({ code }) => !ANSWERS.includes(code));
  if (lost.length === 0) return;
  const words = lost.map(({ app, code, message }) => `${app}: ${message} (${code})`).join('; ');
  throw ApplicationFailure.nonRetryable(`Not told of this push: ${words}`, lost[0]?.code ?? 'INTERNAL');
}

const ANSWERS: readonly string[] = ['LOCKED', 'RELEASE_BAD', 'KEY_REUSED'];

function detailsOf(
  { before, after }: Pick<Push, 'before' | 'after'>,
  merges: Record<string, number>,
  refused: readonly Refused[],
): string {
  const apps = Object.entries(merges).map(([app, count]) => `- **${app}**: ${count}`);
  return [
    `push \`${shortTag(before)}\` → \`${shortTag(after)}\``,
    '',
    ...(apps.length > 0 ? apps : ['touches no app']),
    ...refused.map(({ app, code }) => `- ${app} was not served: \`${code}\``),
  ].join('\n');
}
