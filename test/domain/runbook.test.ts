import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CODES } from '../../domain/codes.js';
import { NOTES } from '../../scripts/runbook-notes.js';
import { runbook } from '../../scripts/runbook-text.js';

describe('docs/runbook.md', () => {
  it('is what the codes make of it (node scripts/run.mjs scripts/runbook.ts)', () => {
    expect(readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8')).toBe(runbook());
  });

  it('says more than the table for whatever is not the asker’s own mistake', () => {
    const bare = Object.keys(CODES).filter((code) => !(code in NOTES));
    const waits = ['BUILDING', 'TESTS_RUNNING', 'PROMOTION_RUNNING', 'RESTORING', 'OUTSIDE_DEPLOYMENT'];
    for (const code of bare.filter((one) => !waits.includes(one))) {
      const { who } = CODES[code as keyof typeof CODES];
      expect(['the person asking', 'the author of the change'], code).toContain(who);
    }
  });
});
