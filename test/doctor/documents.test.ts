/** What the documents say is needed, beside what the code asks for. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FOR_TESTS, PERMISSIONS } from '../../clients/doctor/github.js';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** Cells of the lines of a table that begin with `first`. */
const rows = (text: string, first: RegExp): string[][] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('|') && first.test(line))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );

describe('docs/github.md', () => {
  it('has the permissions that doctor asks of an App, at their level', () => {
    const documented = Object.fromEntries(
      rows(read('docs/github.md'), /^\| (Repository|Organization): /).map(([name = '', level]) => [
        name
          .replace(/^\w+: /, '')
          .toLowerCase()
          .replaceAll(' ', '_'),
        level === 'read and write' ? 'write' : 'read',
      ]),
    );
    const needed = Object.fromEntries([...PERMISSIONS, FOR_TESTS].map(({ name, level }) => [name, level]));
    // It comes with the others: nobody asks for it.
    expect(documented).toEqual({ ...needed, metadata: 'read' });
  });
});
