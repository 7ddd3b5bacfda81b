/**
 * `npm run bench [-- detection hundred latency history webhooks promotion queues] [--small | --long] [--json file]`: what issue and design
 * promise, measured on this machine, as Markdown on standard output. It does not end with an error where a target
 * is missed: the tables say so.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { detection } from './detection.js';
import { history } from './history.js';
import { hundred } from './hundred.js';
import { latency } from './latency.js';
import { machine, machineLine } from './machine.js';
import { promotionHistory } from './promotion-history.js';
import { promotion } from './promotion.js';
import { queues } from './queues.js';
import type { Report } from './table.js';
import { isMet, markdown } from './table.js';
import { webhooks } from './webhooks.js';

interface Options {
  /** Fewer of everything: to see whether it works. */
  small: boolean;
  /** Histories of one and of fifteen real minutes. */
  long: boolean;
}

const PARTS: Record<string, (options: Options) => Promise<Report[]>> = {
  detection: async ({ small }) => [await detection({ rollouts: small ? 4 : 20 })],
  hundred: ({ small }) => hundred({ services: small ? 10 : 100 }),
  latency: async ({ small }) => [await latency({ runs: small ? 6 : 30 })],
  history: async ({ small, long }) => [
    await history({ size: long ? 'long' : small ? 'small' : 'short' }),
    await promotionHistory(),
  ],
  webhooks: async ({ small }) => [
    await webhooks(small ? { rounds: 2, each: 60 } : { rounds: 20, each: 150 }),
  ],
  promotion: ({ small }) => promotion({ runs: small ? 2 : 12 }),
  queues: async ({ small }) => [
    await queues(small ? { apps: 60, approvals: 4 } : { apps: 1_000, approvals: 20 }),
  ],
};

const USAGE = `npm run bench [-- ${Object.keys(PARTS).join(' ')}] [--small | --long] [--json file]`;

function asked() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      small: { type: 'boolean', default: false },
      long: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  const unknown = positionals.filter((name) => !Object.hasOwn(PARTS, name));
  if (unknown.length > 0) throw new Error(`There is no part ${unknown.join(', ')}`);
  if (values.small && values.long) throw new Error('Either --small or --long');
  return { ...values, parts: positionals.length > 0 ? positionals : Object.keys(PARTS) };
}

const out = (text: string): void => void process.stdout.write(`${text}\n\n`);

async function main(options: ReturnType<typeof asked>): Promise<void> {
  const { parts, small, long, json } = options;
  const where = machine();
  out(`# Measured`);
  out(machineLine(where));
  const reports: (Report & { command: string })[] = [];
  for (const part of parts) {
    process.stderr.write(`${part} …\n`);
    const command = `npm run bench -- ${part}${small ? ' --small' : ''}${long ? ' --long' : ''}`;
    for (const report of (await PARTS[part]?.({ small, long })) ?? []) {
      out(markdown(report, command));
      reports.push({ ...report, command });
    }
  }
  const judged = reports.flatMap(({ figures }) => figures).filter((figure) => isMet(figure) !== undefined);
  out(`${judged.filter(isMet).length} of ${judged.length} targets met.`);
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ machine: where, reports }, null, 2)}\n`);
}

let options: ReturnType<typeof asked> | undefined;
try {
  options = asked();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  process.exitCode = 2;
}
if (options) {
  main(options).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  });
}
