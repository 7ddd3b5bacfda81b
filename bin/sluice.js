#!/usr/bin/env node
// The command `sluice`: its TypeScript runs as it is.
import { register } from 'tsx/esm/api';

register();
process.setSourceMapsEnabled(true);
await import('../cli/main.ts');
