/** A git repository in a temporary directory, to clone from. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface SourceRepository {
  directory: string;
  /** Commits these files on top of what is there; a value `-> path` makes a link. @returns the commit */
  commit(files: Record<string, string>, message?: string): Promise<string>;
  git(...args: string[]): string;
  remove(): Promise<void>;
}

export async function createSource(): Promise<SourceRepository> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-test-source-'));
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.org', ...args], {
      cwd: directory,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  git('init', '--quiet', '--initial-branch', 'main');
  return {
    directory,
    git,
    // Equal commits of the same second would have the same id.
    async commit(files, message = randomUUID()) {
      for (const [path, content] of Object.entries(files)) {
        const full = join(directory, path);
        await mkdir(dirname(full), { recursive: true });
        if (content.startsWith('-> ')) await symlink(content.slice(3), full);
        else await writeFile(full, content);
      }
      git('add', '--all');
      git('commit', '--quiet', '--allow-empty', '--message', message);
      return git('rev-parse', 'HEAD');
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
