/** The version endpoints: without them a deployment cannot be verified. */
import type { Config } from '../../domain/config/config.js';
import type { Finding } from '../../domain/findings.js';
import { Report, shortly } from './report.js';

const WITHIN_MS = 5_000;
const FORM = 'it must answer 200 with JSON: { "release": "<commit>" }';

export async function checkVersions(config: Config): Promise<Finding[]> {
  const places = Object.entries(config.apps).flatMap(([app, { environments }]) =>
    Object.entries(environments).map(([environment, { versionUrl }]) => ({
      area: `${app} → ${environment}`,
      versionUrl,
    })),
  );
  const found = await Promise.all(places.map(checkVersion));
  return found.flat();
}

async function checkVersion(of: { area: string; versionUrl: string | undefined }): Promise<Finding[]> {
  const report = new Report(of.area);
  const what = 'version endpoint';
  const { versionUrl } = of;
  if (!versionUrl) {
    const hint =
      'set versionUrl: without it deployments end unverified, and a rollback finds no target by itself';
    report.warn(what, 'is not configured', hint);
    return report.findings;
  }
  try {
    const response = await fetch(versionUrl, {
      signal: AbortSignal.timeout(WITHIN_MS),
      headers: { accept: 'application/json', 'cache-control': 'no-cache' },
    });
    const body = response.ok ? await response.json() : undefined;
    const release = typeof body === 'object' && body !== null && 'release' in body ? body.release : undefined;
    if (!response.ok) report.broken(what, `${versionUrl} answers ${response.status}`, FORM);
    else if (typeof release !== 'string' || release === '')
      report.broken(what, `${versionUrl} reports no release`, FORM);
    else report.ok(what, release.slice(0, 60));
  } catch (error) {
    const why = error instanceof SyntaxError ? 'answers no JSON' : `does not answer (${shortly(error)})`;
    report.broken(
      what,
      `${versionUrl} ${why}`,
      error instanceof SyntaxError ? FORM : 'can this machine reach it?',
    );
  }
  return report.findings;
}
