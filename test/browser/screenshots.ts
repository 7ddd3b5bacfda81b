/** `npm run screenshots`: the main states, on made-up data, into `docs/images/`. */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { launch, visit } from './browser.js';
import { FAILED, ROLLING } from './fake/deployments.js';
import { startFake } from './fake/server.js';

const INTO = fileURLToPath(new URL('../../docs/images/', import.meta.url));

interface Shot {
  name: string;
  path: string;
  dark?: boolean;
  width?: number;
  height?: number;
  /** Before it is taken. */
  then?: (page: Page) => Promise<unknown>;
}

const approving = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: 'Deploy to production: frontend' }).click();
  await page.getByRole('dialog').getByText('2 commits').waitFor();
};

const SHOTS: Shot[] = [
  { name: 'road', path: '/', height: 1010 },
  { name: 'approve', path: '/', then: approving },
  { name: 'deployment', path: `/deployments/${ROLLING.id}`, dark: true },
  { name: 'failed', path: `/deployments/${FAILED.id}`, height: 900 },
  { name: 'history', path: '/history', height: 640 },
  { name: 'phone', path: '/', width: 390, height: 844, dark: true },
];

const [browser, fake] = await Promise.all([launch(), startFake()]);
try {
  await mkdir(INTO, { recursive: true });
  for (const { name, path, dark, width = 1280, height = 820, then } of SHOTS) {
    const { page } = await visit(browser, fake.url + path, {
      viewport: { width, height },
      colorScheme: dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
    });
    await page.locator('.connection.on').waitFor();
    await page.locator('article, table').first().waitFor();
    await then?.(page);
    await page.mouse.move(0, 0);
    await page.screenshot({ path: `${INTO}${name}.png` });
    await page.context().close();
  }
} finally {
  await browser.close();
  await fake.close();
}
