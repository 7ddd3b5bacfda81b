import { describe, expect, it } from 'vitest';
import { linksOfDeployment } from '../../api/links.js';
import { config } from './harness.js';

const settings = {
  ...{ config: config(), namespace: 'default', publicUrl: '' },
  repositoryUrl: 'https://github.example/acme/shop',
};
const [one, two] = ['1'.repeat(40), '2'.repeat(40)];
const deployment = { id: 'staging.api.x', app: 'api', environment: 'staging' };
const github = (more: object) => linksOfDeployment(settings, { ...deployment, ...more }).github;

describe('the link to GitHub of a deployment', () => {
  it('is to the commit that is deployed, however it was named', () => {
    const url = `https://github.example/acme/shop/commit/${one}`;
    expect(github({ tag: one })).toBe(url);
    expect(github({ commit: one })).toBe(url);
    expect(github({ tag: 'rel-2026.11.23.14.02.11', release: one })).toBe(url);
    expect(github({ tag: two, release: one })).toBe(url);
    expect(github({ tag: one, release: 'before-sluice' })).toBe(url);
  });

  it('is none where no commit is known, or no repository', () => {
    expect(github({ tag: 'before-sluice' })).toBeUndefined();
    expect(github({})).toBeUndefined();
    expect(github({ tag: '1234567' })).toBeUndefined();
    const { repositoryUrl: _, ...others } = settings;
    expect(linksOfDeployment(others, { ...deployment, tag: one })).not.toHaveProperty('github');
  });
});
