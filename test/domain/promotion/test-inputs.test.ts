import { describe, expect, it } from 'vitest';
import { fillInputs, isMarked, showsMarker, testsMarker } from '../../../domain/promotion/test-inputs.js';

const values = {
  app: 'api',
  release: 'a'.repeat(40),
  marker: 'sluice-api.abc-1',
  stagingUrl: 'https://staging.example/',
};

describe('fillInputs', () => {
  it('fills in what is configured, and sends nothing else', () => {
    const configured = {
      url: '{staging.url}',
      title: '{app} at {release} ({marker}), {app}',
      plain: 'chromium',
      json: '{"a": {"b": 1}}',
      expression: '${{ inputs.x }} {} {A} {a b}',
    };
    expect(fillInputs(configured, values)).toEqual({
      carriesMarker: true,
      inputs: {
        url: 'https://staging.example/',
        title: `api at ${values.release} (sluice-api.abc-1), api`,
        plain: 'chromium',
        json: '{"a": {"b": 1}}',
        expression: '${{ inputs.x }} {} {A} {a b}',
      },
    });
    expect(fillInputs({}, values)).toEqual({ inputs: {}, carriesMarker: false });
    expect(fillInputs({ release: '{release}' }, values)).toMatchObject({ carriesMarker: false });
  });

  it('fills in once: what a value holds stays', () => {
    const filled = fillInputs({ release: '{release}' }, { ...values, release: '{marker}$&' });
    expect(filled).toEqual({ inputs: { release: '{marker}$&' }, carriesMarker: false });
  });

  it('says what it does not know, and what is not configured', () => {
    expect(fillInputs({ ok: '{app}', url: '{production.url}' }, values)).toEqual({
      problem:
        'apps.api.tests.github.inputs.url asks for {production.url}, which Sluice does not know: ' +
        '{staging.url}, {release}, {marker}, {app} are filled in',
    });
    const { app, release, marker } = values;
    expect(fillInputs({ url: '{staging.url}' }, { app, release, marker })).toEqual({
      problem:
        'apps.api.tests.github.inputs.url asks for {staging.url}: set apps.api.environments.staging.url',
    });
  });
});

describe('showsMarker', () => {
  const marker = testsMarker('api.abc', 1);

  it.each([
    [marker, true],
    [`Playwright (${marker})`, true],
    [`${marker}: staging`, true],
    [`${marker}0 then ${marker}`, true],
    [`${marker}2`, false],
    [`x${marker}`, false],
    [`${marker}.2`, false],
    ['Playwright', false],
    ['', false],
    [null, false],
    [undefined, false],
  ])('%s', (text, expected) => {
    expect(showsMarker(text, marker)).toBe(expected);
  });

  it('shows no marker where there is none', () => {
    expect(showsMarker('anything', '')).toBe(false);
  });
});

describe('isMarked', () => {
  it.each([
    [`Playwright (${testsMarker('web.def', 12)})`, true],
    ['Playwright of sluice', false],
    ['not-sluice-api', false],
    [null, false],
  ])('%s', (text, expected) => {
    expect(isMarked(text)).toBe(expected);
  });
});
