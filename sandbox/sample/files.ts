/** The files of the sample apps: small enough to read, real enough for Docker to build and run. */

export const APPS = ['api', 'frontend', 'ingestion_server'] as const;
export type SampleApp = (typeof APPS)[number];

/**
 * `good`; `exits`: the container ends with 1 as soon as it starts; `build-fails`: a COPY of what is not there;
 * `wrong-release`: the version endpoint reports something else than what was built; `no-release`: it answers
 * without one.
 */
export const BEHAVIOURS = ['good', 'exits', 'build-fails', 'wrong-release', 'no-release'] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

export const WRONG_RELEASE = 'not-what-was-built';

interface StageOptions {
  name: string;
  port: number;
  behaviour: Behaviour;
  /** The context holds a static busybox: the image can really be run. */
  hasBusybox: boolean;
}

const json = (parts: string[]): string => JSON.stringify(parts);

/**
 * The endpoint's answer is written at the start, from what was built in: a build without RUN needs no network.
 * As process 1 httpd would not hear SIGTERM, and every stop would take Docker's ten seconds.
 */
function serve(port: number, hasRelease: boolean): string {
  const answer = hasRelease ? `'{"release": "%s"}\\n' "$RELEASE"` : `'{}\\n'`;
  return [
    "trap 'exit 0' TERM",
    `/busybox printf ${answer} > /www/version.json`,
    `/busybox httpd -f -p ${port} -h /www & wait $!`,
  ].join('; ');
}

const REFUSE = "echo 'cannot start: DATABASE_URL is not a URL' >&2; exit 1";

/**
 * One stage of a Dockerfile. The instructions are few, so that a builder without Docker can read them; the
 * label tells a stand-in, which runs no command, how the container behaves.
 */
function stage({ name, port, behaviour, hasBusybox }: StageOptions): string {
  const hasRelease = behaviour !== 'no-release';
  const isExiting = behaviour === 'exits';
  return [
    `FROM scratch AS ${name}`,
    'ARG SEMANTIC_VERSION',
    `ENV RELEASE=${behaviour === 'wrong-release' ? WRONG_RELEASE : '$SEMANTIC_VERSION'}`,
    ...(isExiting ? ['LABEL sandbox.exit=1'] : []),
    ...(hasRelease ? [] : ['LABEL sandbox.version=none']),
    ...(hasBusybox ? ['COPY busybox /busybox'] : []),
    'COPY www /www',
    ...(behaviour === 'build-fails' ? ['COPY forgotten.txt /forgotten.txt'] : []),
    `EXPOSE ${port}`,
    `CMD ${json(['/busybox', 'sh', '-c', isExiting ? REFUSE : serve(port, hasRelease)])}`,
    '',
  ].join('\n');
}

export interface AppFilesOptions {
  app: SampleApp;
  behaviour: Behaviour;
  /** Stands on the page: every commit changes something under the app's path. */
  title: string;
  hasBusybox: boolean;
}

/** Path → text. `api` has two images from one context: `nginx` by its target, django by the last stage. */
export function appFiles({ app, behaviour, title, hasBusybox }: AppFilesOptions): Record<string, string> {
  const main = { behaviour, hasBusybox };
  const isAboutRelease = behaviour === 'wrong-release' || behaviour === 'no-release';
  const stages =
    app === 'api'
      ? [
          // As at Openverse the version endpoint is nginx's; what fails to start is django.
          stage({ ...main, name: 'nginx', port: 8080, behaviour: isAboutRelease ? behaviour : 'good' }),
          stage({ ...main, name: 'django', port: 8000 }),
        ]
      : [stage({ ...main, name: app, port: 8080 })];
  return { [`${app}/Dockerfile`]: stages.join('\n'), [`${app}/www/index.html`]: `<h1>${title}</h1>\n` };
}

/** Ask staging by a real browser, run by Playwright. Beside this file, as they are in the repository. */
export const FRONTEND_TESTS = ['frontend/playwright.config.mjs', 'frontend/e2e/smoke.spec.mjs'] as const;

/** The file of the tests' workflow, in `.github/workflows`. */
export const TESTS_WORKFLOW = 'playwright.yml';

/** As an app's own would be: its inputs are declared, and its runs are found by their marker. */
export const WORKFLOW_FILES: Record<string, string> = {
  [`.github/workflows/${TESTS_WORKFLOW}`]: `name: Playwright
run-name: Playwright \${{ inputs.marker }}
on:
  workflow_dispatch:
    inputs:
      service_url: { description: Where staging is, required: true, type: string }
      release: { description: The commit that staging runs, required: true, type: string }
      marker: { description: By which this run is found, required: false, type: string }
jobs:
  playwright:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: { ref: "\${{ inputs.release }}" }
      - run: npx playwright test
        env: { BASE_URL: "\${{ inputs.service_url }}" }
`,
};
