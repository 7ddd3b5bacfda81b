/** Where and when it was measured. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { promisify } from 'node:util';

export interface Machine {
  /** ISO 8601. */
  at: string;
  cores: number;
  processor: string;
  /** GiB. */
  memory: number;
  node: string;
  /** Processes that want a core, over the minute before: what else the machine had to do. */
  load: number;
}

export const machine = (): Machine => ({
  at: new Date().toISOString(),
  cores: availableParallelism(),
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  memory: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
});

export const machineLine = ({ at, cores, processor, memory, node, load }: Machine): string =>
  `${at} · ${cores} cores (${processor}), ${memory} GiB · Node ${node} · load before: ${load}`;

/** Resident memory of a process, in MB (10⁶ bytes). */
export async function residentMb(pid: number): Promise<number> {
  const kibibytes = await fromProc(pid).catch(() => fromPs(pid));
  return (kibibytes * 1024) / 1e6;
}

async function fromProc(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB/m.exec(status) ?? [];
  if (!kibibytes) throw new Error(`/proc/${pid}/status tells no VmRSS`);
  return Number(kibibytes);
}

async function fromPs(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout.trim());
}

/** Linux counts in hundredths of a second. */
const TICK_MS = 10;

/** Processor time that a process has used so far, in ms; NaN where there is no `/proc`. */
export async function processorMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // Its name, in parentheses, may hold spaces; user and system time are the 12th and 13th after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
