/** `docker build`: FROM scratch or an earlier stage; files by COPY, everything else is metadata. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { copySources } from './copy.mjs';
import { commandOf, expand, pairs, parseDockerfile, words } from './dockerfile.mjs';
import { BuilderError } from './error.mjs';
import { digestOf } from './store.mjs';
import { tar } from './tar.mjs';

export async function build(input) {
  const text = await readFile(input.file, 'utf8').catch(() => {
    throw new BuilderError(
      `unable to prepare context: unable to evaluate symlinks in Dockerfile path: ${input.file}`,
    );
  });
  const instructions = parseDockerfile(text);
  const wanted = untilTarget(instructions, input.target);
  const run = new Build(input);
  console.log('Sending build context to Docker daemon');
  for (const [index, instruction] of wanted.entries()) {
    console.log(`Step ${index + 1}/${wanted.length} : ${instruction.source.replace(/\s+/g, ' ')}`);
    await run.step(instruction);
    console.log(` ---> ${run.id()}`);
  }
  const unused = Object.keys(input.buildArgs).filter((name) => !run.consumed.has(name));
  if (unused.length > 0)
    console.log(`[Warning] One or more build-args [${unused.join(' ')}] were not consumed`);
  const digest = await run.save();
  console.log(`Successfully built ${run.id()}`);
  for (const tag of input.tags) {
    await input.store.tag(tag, digest);
    console.log(`Successfully tagged ${tag}`);
  }
}

/** As the classic builder: every stage up to the target. */
function untilTarget(instructions, target) {
  if (!target) return instructions;
  const starts = instructions.flatMap(({ keyword }, index) => (keyword === 'FROM' ? [index] : []));
  const stage = starts.findIndex((at) => fromWords(instructions[at].rest)[2] === target);
  if (stage < 0) throw new BuilderError(`failed to reach build target ${target} in Dockerfile`);
  return instructions.slice(0, starts[stage + 1]);
}

/** `image AS name`, flags left out. */
const fromWords = (rest) => words(rest).filter((word) => !word.startsWith('--'));

const emptyStage = () => ({ files: new Map(), layers: [], env: {}, labels: {}, args: {}, config: {} });

class Build {
  /** ARG before the first FROM. */
  globals = {};
  /** By name and by number. */
  stages = new Map();
  count = 0;
  stage = undefined;
  consumed = new Set();

  constructor(input) {
    this.input = input;
  }

  get variables() {
    return this.stage ? { ...this.stage.args, ...this.stage.env } : this.globals;
  }

  id() {
    const { layers = [], env, labels, config } = this.stage ?? {};
    const state = JSON.stringify([layers.map(({ diff }) => diff), env, labels, config]);
    return createHash('sha256').update(state).digest('hex').slice(0, 12);
  }

  async step({ keyword, rest }) {
    const handler = HANDLERS[keyword];
    if (!handler) throw new BuilderError(`dockerfile parse error: unknown instruction: ${keyword}`);
    if (!this.stage && keyword !== 'FROM' && keyword !== 'ARG') {
      throw new BuilderError('no build stage in current context');
    }
    await handler(this, rest);
  }

  async save() {
    const { input, stage } = this;
    for (const [name, value] of Object.entries(input.labels)) stage.labels[name] = value;
    const [os, architecture] = input.platform.split('/');
    const config = Buffer.from(
      JSON.stringify({
        architecture,
        os,
        created: new Date().toISOString(),
        config: {
          Env: Object.entries(stage.env).map(([name, value]) => `${name}=${value}`),
          Labels: stage.labels,
          ...stage.config,
        },
        rootfs: { type: 'layers', diff_ids: stage.layers.map(({ diff }) => diff) },
        history: [],
      }),
    );
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      config: {
        mediaType: 'application/vnd.docker.container.image.v1+json',
        ...(await reference(input.store, config)),
      },
      layers: await Promise.all(
        stage.layers.map(async ({ bytes }) => ({
          mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
          ...(await reference(input.store, bytes)),
        })),
      ),
    };
    return (await input.store.put(Buffer.from(JSON.stringify(manifest)))).digest;
  }
}

const reference = async (store, bytes) => {
  const { digest, size } = await store.put(bytes);
  return { size, digest };
};

const HANDLERS = {
  FROM(build, rest) {
    const [image, as, name] = fromWords(expand(rest, build.globals));
    const base = image === 'scratch' ? emptyStage() : build.stages.get(image);
    if (!base) {
      throw new BuilderError(
        `pull access denied for ${image}: without a Docker daemon images are built FROM scratch`,
      );
    }
    build.stage = structuredClone({ ...base, args: {} });
    // structuredClone makes plain byte arrays of Buffers
    for (const file of build.stage.files.values()) file.content = Buffer.from(file.content);
    if (as?.toLowerCase() === 'as' && name) build.stages.set(name, build.stage);
    build.stages.set(String(build.count), build.stage);
    build.count += 1;
  },

  ARG(build, rest) {
    for (const word of words(rest)) {
      const at = word.indexOf('=');
      const name = at < 0 ? word : word.slice(0, at);
      const given = build.input.buildArgs[name];
      const fallback = at < 0 ? build.globals[name] : expand(word.slice(at + 1), build.variables);
      build.consumed.add(name);
      const value = given ?? fallback;
      if (value !== undefined) (build.stage?.args ?? build.globals)[name] = value;
    }
  },

  ENV(build, rest) {
    Object.assign(build.stage.env, pairs(expand(rest, build.variables)));
  },

  LABEL(build, rest) {
    Object.assign(build.stage.labels, pairs(expand(rest, build.variables)));
  },

  async COPY(build, rest) {
    const all = words(expand(rest, build.variables));
    const from = all.find((word) => word.startsWith('--from='))?.slice('--from='.length);
    const stage = from === undefined ? undefined : build.stages.get(from);
    if (from !== undefined && !stage)
      throw new BuilderError(`invalid from flag value ${from}: no such stage`);
    const paths = all.filter((word) => !word.startsWith('--'));
    const copied = await copySources({
      context: build.input.context,
      files: stage?.files,
      sources: paths.slice(0, -1),
      target: paths.at(-1),
      workdir: build.stage.config.WorkingDir ?? '/',
    });
    for (const [path, file] of copied) build.stage.files.set(path, file);
    const archive = tar(copied);
    build.stage.layers.push({ diff: digestOf(archive), bytes: gzipSync(archive) });
  },

  ADD: (build, rest) => HANDLERS.COPY(build, rest),

  RUN(_, rest) {
    const [, failing] = /^(?:exit ([1-9]\d*)|false)$/.exec(rest) ?? [];
    if (rest === 'false' || failing) {
      throw new BuilderError(`The command '/bin/sh -c ${rest}' returned a non-zero code: ${failing ?? 1}`);
    }
    console.log(' ---> Not run: there is no Docker daemon');
  },

  CMD(build, rest) {
    build.stage.config.Cmd = commandOf(rest);
  },

  ENTRYPOINT(build, rest) {
    build.stage.config.Entrypoint = commandOf(rest);
  },

  EXPOSE(build, rest) {
    const ports = words(expand(rest, build.variables)).map((port) =>
      port.includes('/') ? port : `${port}/tcp`,
    );
    build.stage.config.ExposedPorts = {
      ...build.stage.config.ExposedPorts,
      ...Object.fromEntries(ports.map((port) => [port, {}])),
    };
  },

  WORKDIR(build, rest) {
    const path = expand(rest, build.variables);
    build.stage.config.WorkingDir = path.startsWith('/')
      ? path
      : `${build.stage.config.WorkingDir ?? ''}/${path}`;
  },

  USER(build, rest) {
    build.stage.config.User = expand(rest, build.variables);
  },

  HEALTHCHECK: () => undefined,
  STOPSIGNAL: () => undefined,
  VOLUME: () => undefined,
  SHELL: () => undefined,
};
