/**
 * Workflow `build/{app}/{commit}`: builds and pushes the image set once, however many ask for it. It runs
 * outside the lanes' turns, so a long build never holds up a rollback. It ends when all askers are answered;
 * when the last of them leaves, what is built is given up, unless a person wants it for itself.
 */
import {
  CancellationScope,
  defineSignal,
  isCancellation,
  setCurrentDetails,
  setHandler,
  setWorkflowOptions,
  upsertMemo,
} from '@temporalio/workflow';
import type { BuildAsker, BuildResult, BuildView, BuildWanted } from '../domain/messages.js';
import { MEMO, SIGNAL } from '../domain/messages.js';
import { builds, tells } from './effects.js';
import { codedFailure } from './failure.js';
import { pinned } from './versioning.js';

/** Requests that are known again by their keys. */
const WANTED_KEPT = 20;

export interface BuildInput {
  app: string;
  commit: string;
}

/** As a deployment: it ends on the code that it began with. */
setWorkflowOptions(pinned, build);

export async function build({ app, commit }: BuildInput): Promise<BuildView> {
  const askers = new Map<string, BuildAsker>();
  const scope = new CancellationScope();
  let view: BuildView = { id: `${app}.${commit}`, app, commit, state: 'running' };
  setHandler(defineSignal<[BuildAsker]>(SIGNAL.join), (asker) => void askers.set(asker.ticket.id, asker));
  setHandler(defineSignal<[{ id: string }]>(SIGNAL.leave), ({ id }) => {
    askers.delete(id);
    if (askers.size === 0 && !view.wanted) scope.cancel();
  });
  setHandler(defineSignal<[BuildWanted]>(SIGNAL.wanted), (wanted) => {
    view = { ...view, wanted: [...(view.wanted ?? []), wanted].slice(-WANTED_KEPT) };
    upsertMemo({ [MEMO.build]: view });
  });

  upsertMemo({ [MEMO.build]: view });
  setCurrentDetails(`building **${app}** at \`${commit}\``);

  const result = await scope.run(() => run({ app, commit }));
  view = { ...view, state: 'finished', result };
  upsertMemo({ [MEMO.build]: view });
  setCurrentDetails(`**${result.outcome}** ${app} at \`${commit}\``);

  // One that joins while others are answered is answered too: the server refuses to close before it is seen.
  while (askers.size > 0) {
    const batch = [...askers.values()];
    askers.clear();
    await Promise.all(batch.map((asker) => tells.answerBuild({ asker, result })));
  }
  return view;
}

async function run(input: BuildInput): Promise<BuildResult> {
  try {
    const { images } = await builds.buildImages(input);
    return { outcome: 'succeeded', images };
  } catch (error) {
    if (isCancellation(error)) {
      return { outcome: 'stopped', code: 'STOPPED', message: 'Nobody waits for this build', lastLines: [] };
    }
    const { code, message, details } = codedFailure(error);
    const lastLines = Array.isArray(details?.lastLines) ? details.lastLines.map(String) : [];
    return { outcome: code === 'NOT_ON_BRANCH' ? 'rejected' : 'failed', code, message, lastLines };
  }
}
