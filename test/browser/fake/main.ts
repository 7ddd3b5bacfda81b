/** `npx tsx test/browser/fake/main.ts [port]`: the dashboard on made-up data, to work on it. */
import { startFake } from './server.js';

const fake = await startFake({ port: Number(process.argv[2] ?? 3100) });
process.stdout.write(`${fake.url}\n`);
