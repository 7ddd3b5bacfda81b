import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillConfig } from '../../../domain/config/fill.js';
import {
  changelogFile,
  changelogPathFor,
  labelFor,
  mention,
  plainText,
  releaseNotes,
  type MergedPullRequest,
} from '../../../domain/release/notes.js';

const config = fillConfig(
  {
    repository: { owner: 'WordPress', name: 'openverse', branch: 'main' },
    maintainers: { org: 'o', team: 't' },
    aws: { region: 'us-east-1' },
    environments: {},
    apps: {},
  },
  'https://github.com',
).releaseNotes;

const pull = (
  number: number,
  labels: string[],
  more: Partial<MergedPullRequest> = {},
): MergedPullRequest => ({
  number,
  title: `Change ${number}`,
  author: 'sara',
  labels,
  mergedAt: `2026-01-02T03:04:${String(number % 60).padStart(2, '0')}Z`,
  ...more,
});
const notesOf = (pullRequests: MergedPullRequest[], more: { app?: string; previous?: string } = {}) =>
  releaseNotes({
    app: 'api',
    pullRequests,
    config,
    repositoryUrl: 'https://github.com/WordPress/openverse',
    ...more,
  });

const API = '🧱 stack: api';

describe('releaseNotes', () => {
  it('has the four sections in order, newest first', () => {
    const notes = notesOf([
      pull(1, [API, '🛠 goal: fix']),
      pull(2, [API, '🧰 goal: internal improvement']),
      pull(3, [API, '✨ goal: improvement']),
      pull(4, [API, '🌟 goal: addition']),
      pull(5, [API, '🤖 aspect: dx']),
    ]);
    const by = (number: number) =>
      `- Change ${number} ([#${number}](https://github.com/WordPress/openverse/pull/${number})) by @sara`;
    expect(notes).toBe(
      [
        ['## New Features', '', by(4)],
        ['## Improvements', '', by(3)],
        ['## Internal Improvements', '', by(5), by(2)],
        ['## Bug Fixes', '', by(1)],
      ]
        .map((lines) => lines.join('\n'))
        .join('\n\n'),
    );
  });

  it('lists each once: in the first section that has one of its labels', () => {
    const both = pull(7, [API, '🛠 goal: fix', '🌟 goal: addition']);
    const notes = notesOf([both, both]);
    expect(notes.match(/#7\]/g)).toHaveLength(1);
    expect(notes).toMatch(/^## New Features\n/);
  });

  it('keeps those of no section, first and without a heading', () => {
    expect(notesOf([pull(1, [API, '🛠 goal: fix']), pull(2, [API])])).toMatch(
      /^- Change 2 .*\n\n## Bug Fixes\n\n- Change 1 /,
    );
  });

  it('leaves out what is of another app or to be skipped, whatever the case of its letters', () => {
    const pulls = [
      pull(1, ['🧱 stack: frontend']),
      pull(2, [API, 'Skip-Changelog']),
      pull(3, ['🧱 Stack: API', '🌟 goal: addition']),
    ];
    expect(notesOf(pulls)).toMatch(/^## New Features\n\n- Change 3 .*$/);
  });

  it('asks for the label with a space where the app has an underscore', () => {
    expect(labelFor(config.label, 'ingestion_server')).toBe('🧱 stack: ingestion server');
    expect(notesOf([pull(1, ['🧱 stack: ingestion server'])], { app: 'ingestion_server' })).toContain(
      'Change 1',
    );
  });

  it('says so where there is nothing', () => {
    expect(notesOf([], { previous: 'api-2026.01.01.00.00.00' })).toBe(
      'No merged pull request carries the label “🧱 stack: api” since api-2026.01.01.00.00.00.',
    );
    expect(notesOf([])).toBe('No merged pull request carries the label “🧱 stack: api”.');
  });

  it('names the account that GitHub shows for a deleted one, and a bot without a link', () => {
    const bot = pull(2, [API], { author: 'dependabot[bot]' });
    const notes = notesOf([pull(1, [API], { author: undefined }), bot]);
    expect(notes).toMatch(/by @dependabot\\\[bot\\\]\n.*by @ghost$/);
  });

  it('is bounded, and says how many it leaves out', () => {
    const many = Array.from({ length: 1_000 }, (_, index) =>
      pull(index + 1, [API], { title: '*'.repeat(256) }),
    );
    const notes = notesOf(many);
    expect(notes.length).toBeLessThan(61_000);
    const left = Number(/… and (\d+) more\.$/.exec(notes)?.[1]);
    expect(left + (notes.match(/^- /gm) ?? []).length).toBe(1_000);
  });
});

/** What is left once every escape is taken away has nothing that Markdown, HTML or GitHub acts on. */
const active = (markdown: string): string =>
  markdown.replaceAll('@<!---->', '').replace(/\\[!-/:-@[-`{-~]/g, '');
const shown = (markdown: string): string =>
  markdown.replaceAll('@<!---->', '@').replace(/\\([!-/:-@[-`{-~])/g, '$1');

const NASTY = [
  '`rm -rf`',
  '$(whoami) ${{ secrets.X }}',
  '](https://evil.example) [x',
  '<script>alert(1)</script><!-- ',
  '--> &lt;b&gt;',
  '@everyone and @org/team',
  '# heading',
  '- list',
  '1. list',
  '2) list',
  '+ list',
  '---',
  '===',
  '> quote',
  '| a | b |',
  '~~~',
  '\\',
  '\\@x \\` \\<',
  'a\nb\r\nc\u2028d\u2029e\u0085f\tg\u0000h',
  '\u202eevil',
  '![x](y)',
  '__a__ *b*',
  ' ',
  '',
  '\ud800',
  '{{ substitution }}',
];
const title = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.array(fc.constantFrom(...NASTY, ' ', 'word'), { maxLength: 6 }).map((parts) => parts.join('')),
);

describe('titles are data', () => {
  it('breaks out of nothing', () => {
    fc.assert(
      fc.property(title, (text) => {
        const markdown = plainText(text);
        expect(active(markdown)).not.toMatch(/[\\`*_{}[\]<>&|~$@]/);
        expect(markdown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
        expect(markdown).not.toMatch(/^(?:\s|[#+\-=]|\d+[.)])/);
      }),
      { numRuns: 2_000, examples: NASTY.map((text) => [text] as [string]) },
    );
  });

  it('shows the same text, its blanks aside', () => {
    const plain = fc.string({ unit: 'grapheme', maxLength: 80 });
    fc.assert(
      fc.property(plain, (text) => {
        const expected = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
        fc.pre(!/[\u200e\u200f\u061c\p{Cs}]/u.test(text));
        expect(shown(plainText(text))).toBe(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  it('stays in its own line of the notes', () => {
    fc.assert(
      fc.property(fc.array(title, { minLength: 1, maxLength: 5 }), (titles) => {
        const pulls = titles.map((text, index) => pull(index + 1, [API, '🛠 goal: fix'], { title: text }));
        const lines = notesOf(pulls).split('\n');
        expect(lines.slice(0, 2)).toEqual(['## Bug Fixes', '']);
        expect(lines).toHaveLength(titles.length + 2);
        for (const line of lines.slice(2)) {
          expect(line).toMatch(
            /^- \S.* \(\[#\d\]\(https:\/\/github\.com\/WordPress\/openverse\/pull\/\d\)\) by @sara$/u,
          );
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each(NASTY)('of %j leaves no mention of a person', (text) => {
    expect(plainText(text)).not.toMatch(/@[A-Za-z0-9]/);
  });

  it('cuts one that is too long', () => {
    expect(notesOf([pull(1, [API], { title: 'ä'.repeat(1_000) })])).toMatch(/^- ä{299}… /);
  });
});

describe('the rest', () => {
  it('writes the file as Openverse does', () => {
    expect(changelogFile({ date: '2026.01.02.03.04.05', body: '## X\n\n- y\n\n' })).toBe(
      '\n# 2026.01.02.03.04.05\n\n## X\n\n- y\n',
    );
    expect(changelogPathFor(config.changelogPath, { app: 'ingestion_server', date: 'D' })).toBe(
      'documentation/changelogs/ingestion_server/D.md',
    );
  });

  it('mentions logins only', () => {
    expect(mention('sara-2')).toBe('@sara-2');
    expect(mention('a b')).toBe('a b');
    expect(mention('x](y)')).toBe('x\\](y)');
    expect(mention('team/name @all')).toBe('team/name @<!---->all');
  });
});
