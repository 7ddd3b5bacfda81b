/** The repository's webhook, and whether the last deliveries arrived. */
import type { Octokit } from '@octokit/rest';
import type { Config } from '../../domain/config/config.js';
import { troubleOf } from '../github.js';
import type { Report } from './report.js';

const PATH = '/webhooks/github';
const LOOKED_AT = 20;
const EVENTS = ['push'];

export async function checkWebhook(of: {
  octokit: Octokit;
  config: Config;
  env: Record<string, string | undefined>;
  report: Report;
}): Promise<void> {
  const { octokit, config, env, report } = of;
  if (!env['GITHUB_WEBHOOK_SECRET']) return;
  const { owner, name: repo } = config.repository;
  const url = `${(env['SLUICE_PUBLIC_URL'] ?? '').replace(/\/+$/, '')}${PATH}`;
  const what = 'webhook';
  try {
    const { data: hooks } = await octokit.rest.repos.listWebhooks({ owner, repo, per_page: 100 });
    const hook = hooks.find(({ config: { url: to } }) => (to ?? '').endsWith(url));
    if (!hook) {
      const hint = `add one to ${url} with GITHUB_WEBHOOK_SECRET, JSON, events ${eventsOf(config).join(', ')}`;
      report.broken(what, 'there is none that leads here', hint);
      return;
    }
    const missing = eventsOf(config).filter(
      (event) => !hook.events.includes(event) && !hook.events.includes('*'),
    );
    if (!hook.active) report.broken(what, 'is switched off', 'make it active');
    if (missing.length > 0) report.broken(what, `lacks the events ${missing.join(', ')}`, 'add them');
    if (hook.config.content_type !== 'json')
      report.broken(what, 'does not send JSON', 'set application/json');
    await checkDeliveries({ octokit, owner, repo, hook: hook.id, report });
  } catch (error) {
    const trouble = troubleOf(error, Date.now());
    if (trouble.kind === 'refused' && (trouble.status === 403 || trouble.status === 404)) {
      report.unchecked(what, 'the credentials may not read webhooks; look at the repository’s settings');
    } else report.warn(what, `could not be read: ${trouble.message}`, 'try again');
  }
}

const eventsOf = ({ apps }: Config): string[] =>
  Object.values(apps).some(({ tests }) => tests?.kind === 'github') ? [...EVENTS, 'workflow_run'] : EVENTS;

async function checkDeliveries(of: {
  octokit: Octokit;
  owner: string;
  repo: string;
  hook: number;
  report: Report;
}): Promise<void> {
  const { octokit, owner, repo, hook, report } = of;
  const { data } = await octokit.rest.repos.listWebhookDeliveries({
    ...{ owner, repo, hook_id: hook, per_page: LOOKED_AT },
  });
  // Newest first; one that was delivered again counts by its last time.
  const last = new Map<string, (typeof data)[number]>();
  for (const one of data) if (!last.has(one.guid)) last.set(one.guid, one);
  const failed = [...last.values()].filter(({ status_code: status }) => status < 200 || status >= 300);
  const what = 'webhook deliveries';
  if (last.size === 0) report.unchecked(what, 'none yet');
  else if (failed.length === 0) report.ok(what, `the last ${last.size} arrived`);
  else {
    const codes = [...new Set(failed.map(({ status_code: status }) => status || 'no answer'))].join(', ');
    const hint =
      '401: the secrets differ; no answer: GitHub cannot reach it. Deliver them again from the hook’s page';
    report.broken(what, `${failed.length} of the last ${last.size} failed (${codes})`, hint);
  }
}
