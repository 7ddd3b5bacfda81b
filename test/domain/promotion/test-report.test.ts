import { describe, expect, it } from 'vitest';
import { isCount, sumUp } from '../../../domain/promotion/test-report.js';

/** As Playwright’s list reporter ends. */
const FAILED = `
Running 5 tests using 2 workers

  ✓  1 [chromium] › search.spec.ts:3:1 › finds (310ms)
  ✘  2 [chromium] › search.spec.ts:9:1 › pages (5.0s)

  1) [chromium] › search.spec.ts:9:1 › pages ───────────

    Error: expect(locator).toBeVisible() failed

  1 failed
    [chromium] › search.spec.ts:9:1 › pages ────────────
  1 flaky
    [chromium] › search.spec.ts:20:1 › filters ─────────
  1 skipped
  2 did not run
  1 passed (6.1s)
`.split('\n');

describe('sumUp', () => {
  it.each([
    [FAILED, '1 failed, 1 flaky, 1 skipped, 2 did not run, 1 passed (6.1s)'],
    [['Running 12 tests', '', '  12 passed (1.2m)', ''], '12 passed (1.2m)'],
    [['  1 failed', '  3 passed (2s)', '  5 passed (1s)'], '1 failed, 5 passed (1s)'],
    [['12 passed tests are needed', 'passed', '12 passed (really)'], '12 passed (really)'],
    [['one', 'two', '  ', ''], 'two'],
    [[], ''],
    [['x'.repeat(500)], `${'x'.repeat(199)}…`],
  ])('%j', (lines, expected) => {
    expect(sumUp(lines)).toBe(expected);
  });
});

describe('isCount', () => {
  it.each([
    ['  12 passed (3.4s)', true],
    ['  1 failed', true],
    ['    1 failed of them', false],
    ['1) failed', false],
  ])('%s', (line, expected) => {
    expect(isCount(line)).toBe(expected);
  });
});
