import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { familyOf, templateOf } from '../../domain/family.js';

describe('familyOf', () => {
  it.each([
    ['production-api-template', 'production-api'],
    ['template-template', 'template'],
    ['api-template-v2', 'api-template-v2'],
    ['my-template-api-template', 'my-template-api'],
    ['api', 'api'],
    ['-template', '-template'],
  ])('%s → %s', (template, family) => expect(familyOf(template)).toBe(family));

  it('takes off what templateOf put on, and nothing else', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/), (service) => {
        expect(familyOf(templateOf(service))).toBe(service);
      }),
    );
  });
});
