import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { workflowBundle } from '../../worker/bundle.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-bundle-'));
  for (const folder of ['workflows', 'domain']) mkdirSync(join(root, folder));
  symlinkSync(join(import.meta.dirname, '../../node_modules'), join(root, 'node_modules'));
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(root, 'workflows/index.ts'), "export { hello } from './hello.js';");
  writeFileSync(
    join(root, 'workflows/hello.ts'),
    "import { name } from '../domain/name.js';\nexport const hello = async (): Promise<string> => name;",
  );
  says('first-name');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const says = (name: string): void =>
  writeFileSync(join(root, 'domain/name.ts'), `export const name: string = '${name}';`);
const built = (): string[] => readdirSync(join(root, 'build')).sort();

describe('workflowBundle', () => {
  it('builds once for a state of the sources, whoever asks and how often', async () => {
    const two = await Promise.all([workflowBundle({ root }), workflowBundle({ root })]);
    expect(two[0]).toEqual(two[1]);
    expect(built()).toEqual([basename(two[0].codePath)]);
    expect(readFileSync(two[0].codePath, 'utf8')).toContain('first-name');

    writeFileSync(two[0].codePath, 'as it is');
    await workflowBundle({ root });
    expect(readFileSync(two[0].codePath, 'utf8')).toBe('as it is');
  });

  it('builds again when a rule has changed, and removes what is a day old', async () => {
    const before = await workflowBundle({ root });
    const dayBefore = Date.now() / 1_000 - 90_000;
    utimesSync(before.codePath, dayBefore, dayBefore);
    writeFileSync(join(root, 'build', 'other.js'), 'not ours');
    says('second-name');
    const after = await workflowBundle({ root });
    expect(readFileSync(after.codePath, 'utf8')).toContain('second-name');
    expect(built()).toEqual(['other.js', basename(after.codePath)]);
  });

  it('fails, and leaves nothing, where the workflows touch Node', async () => {
    writeFileSync(
      join(root, 'domain/name.ts'),
      "import { readFileSync } from 'fs';\nexport const name = String(readFileSync);",
    );
    await expect(workflowBundle({ root })).rejects.toThrow(/fs/);
    expect(() => built()).toThrow();
  });
});
