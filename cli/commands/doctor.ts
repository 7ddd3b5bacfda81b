/** `sluice doctor`: what is wrong, and what to do about it. */
import { ConfigError, loadConfig } from '../../clients/config.js';
import { examine } from '../../clients/doctor/index.js';
import { readSecretFiles } from '../../clients/secret-files.js';
import type { Config } from '../../domain/config/config.js';
import type { Finding } from '../../domain/findings.js';
import { isBroken } from '../../domain/findings.js';
import type { CliContext } from '../context.js';
import { EXIT } from '../context.js';
import { countsLine, findingLines } from '../render-findings.js';

export async function doctor({ io, env }: CliContext, { json }: { json?: boolean }): Promise<number> {
  readSecretFiles(env);
  const path = env['SLUICE_CONFIG'] || 'sluice.yaml';
  const read = readConfig(path);
  const findings = [...read.findings, ...(read.config ? await examine(read.config, env) : [])];
  if (json) io.out(JSON.stringify({ ok: !findings.some(isBroken), findings }));
  else {
    for (const line of findingLines(findings)) io.out(line);
    io.out(`\n${countsLine(findings)}`);
  }
  return findings.some(isBroken) ? EXIT.failure : EXIT.success;
}

function readConfig(path: string): { config?: Config; findings: Finding[] } {
  const finding = { area: 'Configuration', what: path };
  try {
    const config = loadConfig(path);
    const { apps, environments } = config;
    const detail = `apps ${Object.keys(apps).join(', ')}; environments ${Object.keys(environments).join(', ')}`;
    return { config, findings: [{ ...finding, state: 'ok', detail }] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const detail = error.message
      .replace(`${path} is not a valid configuration:`, '')
      .replace(/\s+/g, ' ')
      .trim();
    return {
      findings: [{ ...finding, state: 'broken', detail, hint: 'mend it: nothing else was looked at' }],
    };
  }
}
