/** What staging must show before production gets it. */
import { readFile } from 'node:fs/promises';
import { expect, test } from '@playwright/test';

const { SLUICE_URL_FRONTEND: url, SLUICE_RELEASE: release } = process.env;

test('the page shows its heading', async ({ page }) => {
  const source = await readFile(new URL('../www/index.html', import.meta.url), 'utf8');
  await page.goto(`${url}/`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/<h1>(.*)<\/h1>/.exec(source)[1]);
});

test('it tells the release that is tested', async ({ page }) => {
  const answer = await page.goto(`${url}/version.json`);
  expect(await answer.json()).toEqual({ release });
});
