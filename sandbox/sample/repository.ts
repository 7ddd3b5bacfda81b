/** A Git repository with an app of two images, two of one and a workflow, made anew, the same every time. */
import { execFile } from 'node:child_process';
import { access, chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { APPS, appFiles, FRONTEND_TESTS, WORKFLOW_FILES, type Behaviour, type SampleApp } from './files.js';

const run = promisify(execFile);

/** Static, of the host: without it the images can be built but not run. */
const BUSYBOX = '/bin/busybox';
const EPOCH = 1_704_067_200;

export interface CommitOptions {
  /** `api` */
  app?: SampleApp;
  /** `good` */
  behaviour?: Behaviour;
  /** `main`; another one is made from main's head where it does not exist. */
  branch?: string;
  message?: string;
}

export interface SampleRepository {
  /** `file://…` */
  cloneUrl: string;
  /** Whether the images hold a program that Docker can run. */
  hasBusybox: boolean;
  /** 40 hex. Main's head is good. */
  commits: {
    /** Of which the images are that ran before Sluice came. */
    first: string;
    /** On main, oldest first; the last is main's head. */
    good: string[];
    /** All of `api`; all but `notOnMain` are on main. */
    broken: {
      /** Builds, and its container ends with exit code 1. */
      atStart: string;
      build: string;
      /** Builds and runs, but reports another release. */
      wrongRelease: string;
      /** Good, but on the branch `feature`. */
      notOnMain: string;
    };
  };
  /** Adds a commit and gives its 40 hex. One at a time. */
  commit(options?: CommitOptions): Promise<string>;
}

/** @param dir is made where it is not there; must be empty otherwise */
export async function makeSampleRepository(dir: string): Promise<SampleRepository> {
  await mkdir(dir, { recursive: true });
  const hasBusybox = await access(BUSYBOX).then(
    () => true,
    () => false,
  );
  const commit = committer(dir, hasBusybox);
  await git(dir, ['init', '--quiet', '--initial-branch=main']);
  // GitHub gives any commit by its SHA, a fork's too.
  await git(dir, ['config', 'uploadpack.allowAnySHA1InWant', 'true']);
  await git(dir, ['config', 'uploadpack.allowFilter', 'true']);
  for (const app of APPS) await prepareApp(dir, app, hasBusybox);
  await writeFiles(dir, WORKFLOW_FILES);
  for (const file of FRONTEND_TESTS)
    await copyTo(join(dir, file), fileURLToPath(new URL(file, import.meta.url)));

  const good = [
    await commit({ message: 'Add the sample apps' }),
    await commit(),
    await commit({ app: 'frontend' }),
  ];
  const notOnMain = await commit({ branch: 'feature' });
  const atStart = await commit({ behaviour: 'exits' });
  good.push(await commit({ message: 'Mend the start of api' }));
  const build = await commit({ behaviour: 'build-fails' });
  const wrongRelease = await commit({ behaviour: 'wrong-release' });
  good.push(await commit({ message: 'Mend the version of api' }));
  return {
    cloneUrl: pathToFileURL(dir).href,
    hasBusybox,
    commits: { first: good[0] ?? '', good, broken: { atStart, build, wrongRelease, notOnMain } },
    commit,
  };
}

async function prepareApp(dir: string, app: SampleApp, hasBusybox: boolean): Promise<void> {
  await writeFiles(dir, appFiles({ app, behaviour: 'good', title: app, hasBusybox }));
  if (!hasBusybox) return;
  await copyFile(BUSYBOX, join(dir, app, 'busybox'));
  await chmod(join(dir, app, 'busybox'), 0o755);
}

function committer(dir: string, hasBusybox: boolean): SampleRepository['commit'] {
  let count = 0;
  return async ({ app = 'api', behaviour = 'good', branch = 'main', message } = {}) => {
    count += 1;
    if (branch !== 'main') await switchTo(dir, branch);
    const title = `${app}, change ${count}`;
    await writeFiles(dir, appFiles({ app, behaviour, title, hasBusybox }));
    await git(dir, ['add', '--all']);
    const subject = message ?? `Change ${title}${behaviour === 'good' ? '' : ` (${behaviour})`}`;
    await git(dir, ['commit', '--quiet', '--message', subject], EPOCH + count * 60);
    const { stdout } = await git(dir, ['rev-parse', 'HEAD']);
    if (branch !== 'main') await git(dir, ['switch', '--quiet', 'main']);
    return stdout.trim();
  };
}

async function switchTo(dir: string, branch: string): Promise<void> {
  const { stdout } = await git(dir, ['branch', '--list', '--format=%(refname:short)', branch]);
  await git(dir, ['switch', '--quiet', ...(stdout.trim() === '' ? ['--create'] : []), branch]);
}

async function copyTo(path: string, source: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await copyFile(source, path);
}

async function writeFiles(dir: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
}

/** Nothing of the machine's Git configuration: no hooks, no signing, the same commits everywhere. */
function git(dir: string, args: string[], at = EPOCH) {
  const date = `${at} +0000`;
  const who = { NAME: 'Sample Author', EMAIL: 'author@example.org', DATE: date };
  const roles = ['AUTHOR', 'COMMITTER'].flatMap((role) =>
    Object.entries(who).map(([key, value]): [string, string] => [`GIT_${role}_${key}`, value]),
  );
  const env = { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: devNull, GIT_CONFIG_NOSYSTEM: '1' };
  return run('git', args, { cwd: dir, env: { ...env, ...Object.fromEntries(roles) } });
}
