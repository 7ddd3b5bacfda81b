/** `docs/runbook.md` as a pure function of the codes. */
import type { CodeEntry } from '../domain/codes.js';
import { CODES } from '../domain/codes.js';
import { NOTES } from './runbook-notes.js';

const HEAD = `# Runbook

A section for each code that Sluice gives: in an error of the API, beside what waits (\`waitingFor\`), and beside what
failed (\`failure\`). Made from \`domain/codes.ts\` by \`node scripts/run.mjs scripts/runbook.ts\`; a test holds it to that.

First, always: \`sluice status\` (what runs where, what waits), \`sluice watch <id>\` (one deployment, its dossier at the
end), \`sluice doctor\` (everything that Sluice stands on).`;

export function runbook(): string {
  const codes = Object.keys(CODES).sort();
  const list = codes.map((code) => `[\`${code}\`](#${code.toLowerCase()})`).join(' · ');
  return `${[HEAD, list, ...codes.map((code) => section(code as keyof typeof CODES))].join('\n\n')}\n`;
}

function section(code: keyof typeof CODES): string {
  const { text, who, actions, http }: CodeEntry = CODES[code];
  const facts = [
    `- **What**: ${text}.`,
    ...(http === undefined ? [] : [`- **Over HTTP**: ${http}.`]),
    `- **Who can end it**: ${who}.`,
    ...(actions.length === 0 ? [] : [`- **What to do**: ${actions.join('; or ')}.`]),
  ];
  const note = NOTES[code]?.replace(/\n/g, ' ');
  return [`## ${code}`, facts.join('\n'), ...(note ? [note] : [])].join('\n\n');
}
