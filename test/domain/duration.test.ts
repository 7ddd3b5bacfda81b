import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationWords, parseDuration } from '../../domain/duration.js';

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
    ['365d', 31_536_000_000],
  ])('reads %s', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each([
    '',
    '15',
    'm',
    '0s',
    '-1s',
    '1.5h',
    '1h30m',
    '15 m',
    ' 15m',
    '15M',
    '15m ',
    '15min',
    '366d',
    '1e3s',
    '١m',
  ])('refuses %j', (text) => expect(parseDuration(text)).toBeUndefined());

  it('is linear in the number', () => {
    const units = fc.constantFrom('ms', 's', 'm', 'h');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8_000 }), units, (count, unit) => {
        expect(parseDuration(`${count}${unit}`)).toBe(count * (parseDuration(`1${unit}`) ?? Number.NaN));
      }),
    );
  });

  it('never throws, and what it gives is a positive whole number of at most a year', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9]{1,12}(ms|s|m|h|d)$/)), (text) => {
        const ms = parseDuration(text);
        expect(ms === undefined || (Number.isSafeInteger(ms) && ms > 0 && ms <= 31_536_000_000)).toBe(true);
      }),
    );
  });
});

describe('durationWords', () => {
  it.each([
    [15 * 60_000, '15 minutes'],
    [2_000, '2 seconds'],
    [90_000, '90 seconds'],
    [120_000, '2 minutes'],
  ])('%i ms are %s', (ms, words) => {
    expect(durationWords(ms)).toBe(words);
  });
});
