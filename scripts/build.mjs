// `node scripts/build.mjs`: what the processes would build at their first start, for an image that never builds.
// They find it by its sources: one that does not fit them is not used.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { register } from 'tsx/esm/api';

register();

const { workflowBundle } = await import('../worker/bundle.ts');
console.log((await workflowBundle()).codePath);

const dashboard = fileURLToPath(new URL('../api/dashboard-build.ts', import.meta.url));
if (existsSync(dashboard)) console.log(await (await import(dashboard)).buildDashboard());
