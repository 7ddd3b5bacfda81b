// Builds the dashboard into build/, as the API does at its first start: an image that holds the result starts
// with it, and needs no bundler.
import { register } from 'tsx/esm/api';

register();
const { buildDashboard } = await import('../api/dashboard-build.ts');
console.log(await buildDashboard());
