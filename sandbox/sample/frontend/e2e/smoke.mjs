/**
 * What staging must show before production gets it: `node frontend/e2e/smoke.mjs <module of Playwright> <Chromium>`.
 * A checkout has nothing installed, so both are those of the machine that runs it. Counts as Playwright's own runner does.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

const [playwright, executablePath] = process.argv.slice(2);
const { SLUICE_URL_FRONTEND: url, SLUICE_RELEASE: release } = process.env;
const { chromium } = (await import(playwright)).default;

const tests = {
  'the page shows its heading': async (page) => {
    const source = await readFile(new URL('../www/index.html', import.meta.url), 'utf8');
    await page.goto(`${url}/`);
    assert.equal(
      await page.getByRole('heading', { level: 1 }).innerText(),
      /<h1>(.*)<\/h1>/.exec(source)?.[1],
    );
  },
  'it tells the release that is tested': async (page) => {
    const answer = await page.goto(`${url}/version.json`);
    assert.deepEqual(await answer?.json(), { release });
  },
};

const began = performance.now();
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const failed = [];
for (const [name, test] of Object.entries(tests)) {
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  try {
    await test(page);
    console.log(`  ✓ ${name}`);
  } catch (error) {
    console.log(`  ✘ ${name}\n${error.message}`);
    failed.push(name);
  }
  await page.close();
}
await browser.close();

if (failed.length > 0) console.log(`  ${failed.length} failed\n    ${failed.join('\n    ')}`);
const seconds = ((performance.now() - began) / 1_000).toFixed(1);
console.log(`  ${Object.keys(tests).length - failed.length} passed (${seconds}s)`);
process.exitCode = failed.length > 0 ? 1 : 0;
