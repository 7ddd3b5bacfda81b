/** Short texts for the Temporal UI: people follow a deployment there without reading code. */
import type { Deployment, DeploymentRequest } from './deployment.js';
import type { LaneState } from './lane.js';

/** `1a2b3c4` for a commit, everything else as it is. */
export const shortTag = (tag: string): string => (/^[0-9a-f]{40}$/.test(tag) ? tag.slice(0, 7) : tag);

/** One line: `deploy api → staging @ 1a2b3c4 by alice`. */
export const headline = (
  request: Pick<DeploymentRequest, 'kind' | 'app' | 'environment' | 'tag' | 'actor'>,
): string =>
  `${request.kind} ${request.app} → ${request.environment}${request.tag ? ` @ ${shortTag(request.tag)}` : ''} by ${request.actor}`;

const MARK = { pending: '·', running: '▶', done: '✓', failed: '✗', skipped: '–' } as const;

/** Backticks in what people or ECS wrote must not break out of the code span they stand in. */
const plain = (text: string): string => text.replace(/[`\r\n|]+/g, ' ').slice(0, 500);

/** Markdown for the workflow's current details. */
export function deploymentMarkdown(deployment: Deployment): string {
  const lines = [`**${deployment.outcome ?? deployment.state}**`, ''];
  for (const step of deployment.steps) {
    lines.push(`- ${MARK[step.state]} ${step.name}${step.detail ? `: ${plain(step.detail)}` : ''}`);
  }
  if (deployment.failure)
    lines.push('', `\`${deployment.failure.code}\` ${plain(deployment.failure.message)}`);
  for (const warning of deployment.warnings) lines.push('', `⚠ ${plain(warning.message)}`);
  return lines.join('\n');
}

export function laneMarkdown(lane: LaneState): string {
  const lines: string[] = [];
  if (lane.lock)
    lines.push(`**locked** by ${lane.lock.by} since ${lane.lock.at}: ${plain(lane.lock.reason)}`, '');
  lines.push(lane.running ? `▶ \`${lane.running.id}\` ${shortTag(lane.running.tag)}` : 'nothing runs');
  for (const ticket of lane.waiting.slice(0, 20)) {
    lines.push(`- \`${ticket.id}\` ${shortTag(ticket.tag)}${ticket.ready ? '' : ' (building)'}`);
  }
  if (lane.waiting.length > 20) lines.push(`- and ${lane.waiting.length - 20} more`);
  if (lane.live) lines.push('', `live: ${shortTag(lane.live.release)} since ${lane.live.at}`);
  return lines.join('\n');
}

interface Subject {
  app?: unknown;
  environment?: unknown;
  tag?: unknown;
  commit?: unknown;
  imageTag?: unknown;
  gitTag?: unknown;
}

/** Where an activity's input says what it is about: in itself, or one level down. */
const INSIDE = ['lane', 'deployment', 'asker', 'request'] as const;

const subjectOf = (input: unknown): Subject => {
  if (typeof input !== 'object' || input === null) return {};
  const fields = input as Record<string, unknown>;
  const inner = INSIDE.map((key) => fields[key]).find((one) => typeof one === 'object' && one !== null);
  return { ...(inner as Subject | undefined), ...fields };
};

/** One line for an activity: `register api → staging @ 1a2b3c4`. Names and tags only, never a value (rule 7). */
export function activitySummary(activity: string, input: unknown): string {
  const { app, environment, tag, commit, imageTag, gitTag } = subjectOf(input);
  const words = activity.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const place =
    typeof app === 'string' ? ` ${app}${typeof environment === 'string' ? ` → ${environment}` : ''}` : '';
  const named = [gitTag, imageTag, commit, tag].find((one) => typeof one === 'string' && one !== '');
  return `${words}${place}${typeof named === 'string' ? ` @ ${shortTag(named)}` : ''}`.slice(0, 200);
}
