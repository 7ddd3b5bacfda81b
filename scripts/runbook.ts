/** `node scripts/run.mjs scripts/runbook.ts`: writes docs/runbook.md anew. */
import { writeFileSync } from 'node:fs';
import { runbook } from './runbook-text.js';

writeFileSync(new URL('../docs/runbook.md', import.meta.url), runbook());
