// `npm test`: every check, then the tests. `--project docker` (or unit, integration; may be repeated) runs
// those tests alone. The last line is always `N passed, M failed` (`, K skipped` where there are any).
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkNode, install, ROOT } from './install.mjs';

const CHECKS = ['typecheck', 'lint', 'arrows', 'format:check'];

const { values, positionals } = parseArgs({
  options: { project: { type: 'string', multiple: true } },
  allowPositionals: true,
});
checkNode();
await install({ dev: true }).catch((error) => {
  console.error(error.message);
  process.exit(1);
});

const only = values.project !== undefined || positionals.length > 0;
const failedParts = only ? [] : CHECKS.filter((check) => !passes(check));
const counts = tests(values.project ?? ['unit', 'integration'], positionals);

for (const part of [...failedParts, ...counts.parts]) console.log(`FAILED: ${part}`);
const failed = counts.failed + failedParts.length;
console.log(
  `${counts.passed} passed, ${failed} failed${counts.skipped ? `, ${counts.skipped} skipped` : ''}`,
);
process.exitCode = failed > 0 || (process.env.CI === 'true' && counts.skipped > 0) ? 1 : 0;

function passes(check) {
  console.log(`— ${check}`);
  const { status } = spawnSync('npm', ['run', '-s', check], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return status === 0;
}

/** Counts come from vitest's own report: what is printed for people may change. */
function tests(projects, filters) {
  console.log(`— tests: ${projects.join(', ')}`);
  const report = join(ROOT, 'build', `test-${projects.join('-')}-${process.pid}.json`);
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  const { status } = spawnSync(
    process.execPath,
    [
      join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      ...projects.flatMap((project) => ['--project', project]),
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...filters,
    ],
    { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  return read(report, status);
}

function read(report, status) {
  let result;
  try {
    result = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0, parts: ['the tests did not come to an end'] };
  } finally {
    rmSync(report, { force: true });
  }
  const { numPassedTests: passed, numFailedTests, numPendingTests, numTodoTests } = result;
  const tests = result.testResults.flatMap((file) =>
    file.assertionResults.filter(({ status }) => status === 'failed'),
  );
  const parts = tests.map(({ fullName }) => fullName);
  // A file that cannot be loaded holds no failed test, and an error outside tests belongs to no file.
  const broken = result.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  parts.push(...broken.map(({ name }) => `${name} could not be run`));
  if (status !== 0 && parts.length === 0) parts.push('vitest: see above');
  const failed = Math.max(parts.length, numFailedTests);
  return { passed, failed, skipped: numPendingTests + numTodoTests, parts };
}
