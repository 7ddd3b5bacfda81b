/** What the demo shows and claims: commands as a person types them, and what became of each promise. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Deployment } from '../../domain/deployment.js';
import { clusterOf, PEOPLE, serviceOf } from '../settings.js';
import type { Stack } from '../stack.js';

const CLI = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

export const out = (text: string): void => void process.stdout.write(`${text}\n`);
export const title = (text: string): void => out(`\n━━ ${text}`);

/** Waits for what is told a moment later. */
export async function until(holds: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 50 && !holds(); tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 200));
  return holds();
}

export type DemoApp = 'api' | 'frontend';
export type DemoEnvironment = 'staging' | 'production';

export class Stage {
  readonly findings: { claim: string; held: boolean }[] = [];
  private command: ChildProcess | undefined;

  constructor(readonly stack: Stack) {}

  check(claim: string, held: boolean): void {
    this.findings.push({ claim, held });
    out(`   ${held ? '✓' : '✗'} ${claim}`);
  }

  /** Runs the command line as a person would; `alice` unless said otherwise. @returns its exit code */
  async sluice(args: string[], who: keyof typeof PEOPLE = 'alice'): Promise<number> {
    out(`\n${who === 'alice' ? '' : `(${who}) `}$ sluice ${args.map(quoted).join(' ')}`);
    const child = spawn(process.execPath, ['--import', 'tsx', CLI, ...args], {
      env: { ...process.env, SLUICE_URL: this.stack.apiUrl, GITHUB_TOKEN: PEOPLE[who].token },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    this.command = child;
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? 1));
    });
  }

  /** Ends the command that runs, and everything else. */
  async close(): Promise<void> {
    this.command?.kill();
    await this.stack.close();
  }

  async read<T>(path: string): Promise<T> {
    const headers = { authorization: `Bearer ${PEOPLE.alice.token}` };
    const response = await fetch(`${this.stack.apiUrl}${path}`, { headers });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** The deployment of the service that ended last. */
  async latest(app: DemoApp, environment: DemoEnvironment): Promise<Deployment> {
    const query = `app=${app}&environment=${environment}&limit=1`;
    const { items } = await this.read<{ items: Deployment[] }>(`/api/deployments?${query}`);
    return this.read<Deployment>(`/api/deployments/${items[0]?.id ?? 'none'}`);
  }

  /** What the version endpoint reports. */
  async reported(app: DemoApp, environment: DemoEnvironment): Promise<string> {
    const place = { cluster: clusterOf(environment), service: serviceOf(app, environment) };
    const url = `${this.stack.aws.serviceUrl(place)}/version.json`;
    const answer = await (await fetch(url)).text();
    out(`$ curl ${url}\n${answer.trim()}`);
    return (JSON.parse(answer) as { release: string }).release;
  }

  revisions(app: DemoApp, environment: DemoEnvironment): number {
    return this.stack.aws.revisions({ family: serviceOf(app, environment) }).length;
  }
}

const quoted = (word: string): string => (/^[\w.,:/@=-]+$/.test(word) ? word : JSON.stringify(word));
