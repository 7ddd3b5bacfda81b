/**
 * A `docker` command for the sandbox on machines without a Docker daemon. It understands what Sluice's build
 * activity sends, builds images `FROM scratch` (COPY and metadata; RUN is only noted), and really pushes them
 * over the registry's v2 protocol. Images are kept under `SLUICE_DOCKER_STORE`, else in the home directory.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { BuilderError } from './error.mjs';
import { push } from './push.mjs';
import { openStore } from './store.mjs';

const VERSION = '20.10.0-sandbox';

const commands = {
  version() {
    console.log(VERSION);
  },

  info() {
    console.log(`Server Version: ${VERSION}\nBuilder: sandbox, FROM scratch only`);
  },

  async build(store, args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        file: { type: 'string', short: 'f' },
        tag: { type: 'string', short: 't', multiple: true, default: [] },
        target: { type: 'string' },
        platform: { type: 'string', default: 'linux/amd64' },
        'build-arg': { type: 'string', multiple: true, default: [] },
        label: { type: 'string', multiple: true, default: [] },
      },
    });
    if (positionals.length !== 1) throw new BuilderError('"docker build" requires exactly 1 argument.');
    await build({
      store,
      context: positionals[0],
      file: values.file ?? join(positionals[0], 'Dockerfile'),
      tags: values.tag,
      target: values.target,
      platform: values.platform,
      buildArgs: assignments(values['build-arg']),
      labels: assignments(values.label),
    });
  },

  async push(store, [reference]) {
    await push({ store, reference: required(reference, 'push'), env: process.env });
  },

  async tag(store, [source, target]) {
    const image = await store.resolve(required(source, 'tag'));
    await store.tag(required(target, 'tag'), image);
  },
};

function required(value, command) {
  if (value) return value;
  throw new BuilderError(`"docker ${command}" requires more arguments.`);
}

/** `NAME=value`; a bare `NAME` takes its value from the environment, as Docker does. */
function assignments(pairs) {
  return Object.fromEntries(
    pairs.flatMap((pair) => {
      const at = pair.indexOf('=');
      if (at >= 0) return [[pair.slice(0, at), pair.slice(at + 1)]];
      return process.env[pair] === undefined ? [] : [[pair, process.env[pair]]];
    }),
  );
}

const [name = '', ...args] = process.argv.slice(2);
try {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw new BuilderError(`docker: '${name}' is not a docker command.`);
  await command(openStore(process.env.SLUICE_DOCKER_STORE || join(homedir(), '.sluice-docker')), args);
} catch (error) {
  const expected = error instanceof BuilderError || String(error.code).startsWith('ERR_PARSE_ARGS');
  console.error(expected ? error.message : error);
  process.exitCode = 1;
}
