/** What the documents say is needed, beside what the code asks for. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SECRETS } from '../../clients/secret-files.js';
import { FOR_TESTS, PERMISSIONS, SCOPES } from '../../clients/doctor/github.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

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

  it('has the scopes that doctor asks of a classic token, and no fewer', () => {
    const [, line = ''] = /- Classic: ([^\n]*)/.exec(read('docs/github.md')) ?? [];
    expect(line.match(/(?<=`)[\w:]+(?=`)/g)).toEqual(SCOPES);
  });
});

/** What runs; the sandbox sets variables for it. */
const CODE = ['activities', 'api', 'cli', 'clients', 'worker'];

const sources = (): string[] =>
  CODE.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => read(join(folder, path))),
  );

/** `env['X']`, `const { X: x } = env`, and the lists of what is passed on to other programs. */
function variablesOfCode(): Set<string> {
  const found = sources().flatMap((text) => [
    ...[...text.matchAll(/\benv\['(\w+)'\]/g)].map(([, name]) => name),
    ...[...text.matchAll(/\{([^{}]*)\} = (?:\w+\.)?env;/g)].flatMap(([, names = '']) =>
      names.match(/\b[A-Z]\w+\b/g),
    ),
    ...[...text.matchAll(/const PASSED = \[([^\]]*)\]/g)].flatMap(([, names = '']) =>
      names.match(/\b[A-Z]\w+\b/g),
    ),
  ]);
  return new Set([...found.filter((name) => name !== undefined && name !== null), ...SECRETS]);
}

const documentedVariables = (): Set<string> => {
  const [, section = ''] = /\n## Variables\n([^]*?)\n## /.exec(read('docs/operations.md')) ?? [];
  return new Set(
    rows(section, /^\| `/).flatMap((cells) => cells.join(' ').match(/(?<=`)[A-Z][A-Z_]+(?=[=`])/g) ?? []),
  );
};

describe('docs/operations.md', () => {
  it('has every variable that the code reads, and that docker-compose.yml passes on', () => {
    const code = variablesOfCode();
    expect(code.size).toBeGreaterThan(35);
    for (const name of ['SLUICE_URL', 'SLACK_CHANNEL', 'BUILDX_BUILDER', 'TEMPORAL_API_KEY'])
      expect(code).toContain(name);
    const compose = Object.entries(
      parse(read('docker-compose.yml'), { merge: true }) as Record<string, object>,
    )
      .filter(([key]) => /^x-.*environment$/.test(key))
      .flatMap(([, variables]) => Object.keys(variables))
      .filter((name) => !name.endsWith('_FILE'));
    expect(compose).toContain('SLUICE_PUBLIC_URL');
    const documented = documentedVariables();
    expect([...code, ...compose].filter((name) => !documented.has(name))).toEqual([]);
  });
});

describe('the pictures', () => {
  it('stand in a document each, and those that stand somewhere are there', () => {
    const documents = [
      'README.md',
      ...readdirSync(join(ROOT, 'docs'))
        .filter((name) => name.endsWith('.md'))
        .map((name) => `docs/${name}`),
    ];
    const shown = documents.flatMap((path) => read(path).match(/(?<=images\/)[\w-]+\.png/g) ?? []);
    expect(readdirSync(join(ROOT, 'docs/images')).sort()).toEqual([...new Set(shown)].sort());
  });
});
