/** `npm run sandbox`: everything stays up, and what can be tried is printed. Ctrl-C ends it. */
import closeWithGrace from 'close-with-grace';
import { PEOPLE } from './settings.js';
import { startStack } from './stack.js';

const out = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  const { PORT, TEMPORAL_UI_PORT } = process.env;
  const starting = startStack({
    port: Number(PORT || 3000),
    uiPort: Number(TEMPORAL_UI_PORT || 8233),
    say: (line) => out(`  ${line}`),
  });
  closeWithGrace({ delay: 30_000 }, async ({ err }) => {
    if (err) process.stderr.write(`${String(err)}\n`);
    out('\nEnding the sandbox …');
    // Also what is only just coming up.
    await starting.then((stack) => stack.close());
  });
  const stack = await starting;
  const [good] = stack.sample.commits.good.slice(-1);
  const { atStart, build } = stack.sample.commits.broken;
  out(`
Sluice runs. In a browser:

  the dashboard      ${stack.apiUrl}   (sign in as alice: a maintainer)
  GitHub, to merge   ${stack.github.url}   (each merge goes to staging, then waits for you)
  Temporal's UI      ${stack.uiUrl}
  the API, by hand   ${stack.apiUrl}/docs

In another terminal:

  export SLUICE_URL=${stack.apiUrl} GITHUB_TOKEN=${PEOPLE.alice.token}
  npm run -s sluice -- status
  npm run -s sluice -- promote status api    # what is where, what waits, and why
  npm run -s sluice -- promote approve api   # once a merge is unlocked
  npm run -s sluice -- deploy api staging --commit ${good}
  npm run -s sluice -- deploy api staging --commit ${atStart}   # does not start: ECS rolls back
  npm run -s sluice -- deploy api staging --commit ${build}   # does not build
  npm run -s sluice -- release api --tag ${good}   # once staging has built it
  npm run -s sluice -- rollback api production --tag before-sluice --reason "it does not behave"
  npm run -s sluice -- lock api staging --reason "looking at something"

  who is no maintainer: GITHUB_TOKEN=${PEOPLE.mallory.token}
  logs: ${stack.directory}/logs

Ctrl-C ends it.`);
}

main().catch((error: unknown) => {
  process.stderr.write(
    `The sandbox did not start: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exit(1);
});
