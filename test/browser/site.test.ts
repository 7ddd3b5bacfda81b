/** The dashboard by mouse on the real stack: sign in, merge to production, read what failed, be refused, lose the API. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Site } from '../e2e/site.js';
import { API_STAGING, FRONTEND_PRODUCTION, FRONTEND_STAGING, openSite, START_MS } from '../e2e/site.js';
import { isAccessible, launch, visit } from './browser.js';

let browser: Browser;
let site: Site;

beforeAll(async () => {
  browser = await launch();
  site = await openSite({ configure: (text) => text.replace(/read: maintainers/, 'read: signed-in') });
}, START_MS);
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

/** Through GitHub's page, back to where it began. */
async function signedIn(login: string, path = '/'): Promise<Page> {
  const { page } = await visit(browser, site.apiUrl + path);
  await page.getByRole('link', { name: 'Sign in with GitHub' }).click();
  await page.getByRole('button', { name: login }).click();
  await page.waitForURL(site.apiUrl + path);
  await page.locator('.connection.on').waitFor();
  await page.locator('.who').getByText(login).waitFor();
  return page;
}

const road = (page: Page, app: string) => page.locator('article.road', { has: page.locator(`#road-${app}`) });
const dialog = (page: Page) => page.getByRole('dialog');
const LONG = { timeout: 90_000 };

describe('on the real stack', { timeout: 240_000 }, () => {
  it('goes from a merge to production by mouse', async () => {
    // Both run a commit of the branch: what ran before Sluice came is none.
    const commit = site.sample.commits.good.at(-1) ?? '';
    for (const lane of [FRONTEND_STAGING, FRONTEND_PRODUCTION]) {
      expect(await site.ended(await site.deploy(lane, { commit }))).toMatchObject({ outcome: 'succeeded' });
    }
    const page = await signedIn('alice');
    await road(page, 'frontend').getByText('All that was merged is in production').waitFor(LONG);
    await site.github.mergePullRequest({ app: 'frontend', author: 'bob', title: 'Search by collection' });
    await road(page, 'frontend').getByText('Unlocked', { exact: true }).waitFor(LONG);
    await isAccessible(page);
    await road(page, 'frontend').getByRole('button', { name: 'Deploy to production: frontend' }).click();
    await dialog(page).getByText('Images').waitFor(LONG);
    const plan = await dialog(page).innerText();
    for (const part of ['Search by collection', 'openverse-frontend', commit.slice(0, 7), 'tests passed']) {
      expect(plan).toContain(part);
    }
    await dialog(page).getByRole('button', { name: 'Deploy to production' }).click();
    await dialog(page).waitFor({ state: 'detached' });
    await road(page, 'frontend').getByText('All that was merged is in production').waitFor(LONG);
    await page.goto(`${site.apiUrl}/apps/frontend`);
    await page
      .getByRole('region', { name: 'Promotions before' })
      .getByText('approved by alice')
      .waitFor(LONG);
  });

  it('shows a failed deployment, why it failed, and tries it again', async () => {
    const tag = site.images('api', { labels: { 'sandbox.exit': '1' } });
    const page = await signedIn('alice', '/apps/api');
    await page.getByRole('region', { name: 'Staging' }).getByRole('button', { name: 'Deploy …' }).click();
    await dialog(page).getByRole('textbox', { name: 'Tag' }).fill(tag);
    await dialog(page).getByText('openverse-api:', { exact: false }).first().waitFor(LONG);
    await dialog(page).getByRole('button', { name: 'Deploy to staging' }).click();
    await page.waitForURL('**/deployments/staging.api.*');
    const first = page.url();
    const dossier = page.getByRole('region', { name: 'ECS rolled back to the previous revision.' });
    await dossier.waitFor(LONG);
    await dossier.getByText('ended with 1').first().waitFor();
    await isAccessible(page);
    await page.getByRole('button', { name: 'Retry' }).click();
    await dialog(page).getByRole('button', { name: 'Retry' }).click();
    await expect.poll(() => page.url()).not.toBe(first);
    await page.getByText('an earlier one').waitFor(LONG);
    await dossier.waitFor(LONG);
    await page.getByRole('link', { name: 'History' }).click();
    await expect.poll(() => page.locator('.badge.bad').count(), LONG).toBe(2);
  });

  it('lets a visitor look, and refuses their writes whatever their browser sends', async () => {
    const page = await signedIn('mallory');
    await road(page, 'api').getByRole('button', { name: 'Lock promotions' }).click({ force: true });
    await dialog(page).getByText('mallory is not in the maintainers’ team').waitFor();
    const send = (csrf: string): Promise<number> =>
      page.evaluate<number>(`(async () => fetch('/api/locks/staging/api', { method: 'PUT',
        headers: { 'content-type': 'application/json', 'x-csrf-token': ${csrf} },
        body: JSON.stringify({ reason: 'because' }) }).then(({ status }) => status))()`);
    expect(await send(`(await (await fetch("/api/me")).json()).csrf`)).toBe(403);
    expect(await send(`'forged'`)).toBe(403);
    const { body } = await site.ask('GET', '/api/apps');
    expect(body.items.filter((item: { lane: { lock?: object } }) => item.lane.lock)).toEqual([]);
  });

  it('says when the API is gone, comes back with it by itself, and shows what changed meanwhile', async () => {
    const page = await signedIn('bob', '/locks');
    await page.getByRole('heading', { name: 'Nothing is locked' }).waitFor(LONG);
    const port = new URL(site.apiUrl).port;
    await site.kill('api');
    await page.getByText('Connection lost, retrying').waitFor(LONG);
    await site.revive('api', { HOST: '127.0.0.1', PORT: port });
    const { app, environment } = API_STAGING;
    await site.ask('PUT', `/api/locks/${environment}/${app}`, { body: { reason: 'looking at something' } });
    await page.getByText('looking at something').waitFor(LONG);
    expect(await page.getByText('Connection lost').count()).toBe(0);
    await page.getByRole('button', { name: 'Unlock api staging' }).click();
    await dialog(page).getByRole('button', { name: 'Unlock' }).click();
    await page.getByRole('heading', { name: 'Nothing is locked' }).waitFor(LONG);
  });
});
