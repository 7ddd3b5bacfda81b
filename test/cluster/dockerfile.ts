/** The Dockerfile's stages by name, each with those that it stands on before it. */
import { readFileSync } from 'node:fs';

export const DOCKERFILE = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');

export function stages(): Map<string, string> {
  const found = new Map<string, string>();
  for (const text of DOCKERFILE.split(/^FROM /m).slice(1)) {
    const [, base = '', name = ''] = /^(\S+) AS (\S+)$/m.exec(text) ?? [];
    found.set(name, `${found.get(base) ?? ''}${text}`);
  }
  return found;
}

export const installsGit = (target: string): boolean =>
  /apt-get install [^&]*\bgit\b/.test(stages().get(target) ?? '');
