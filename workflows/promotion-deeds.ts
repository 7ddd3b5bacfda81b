/** What the queue's rules want done. Each is safe to repeat; one that cannot be done is an event like any other. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  getExternalWorkflowHandle,
  log,
  ParentClosePolicy,
  sleep,
  startChild,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import type { Code } from '../domain/codes.js';
import type { DeploymentRequest } from '../domain/deployment.js';
import { deploymentWorkflowId, testsWorkflowId } from '../domain/ids.js';
import { SIGNAL, WORKFLOW } from '../domain/messages.js';
import * as events from '../domain/promotion/events.js';
import type { Effect, QueueDeployment } from '../domain/promotion/state.js';
import { tells } from './effects.js';
import { codedFailure, wordsOf } from './failure.js';
import type { PromotionDesk } from './promotion-desk.js';
import type { tests } from './tests.js';

export async function carryOut(desk: PromotionDesk, effect: Effect): Promise<void> {
  switch (effect.do) {
    case 'deploy':
      return deploy(desk, effect.deployment);
    case 'stop':
      return untilTaken(() =>
        tells.stopDeployment({ id: effect.id, actor: effect.by, reason: effect.reason }),
      );
    case 'test':
      return startTests(desk, effect);
    case 'stopTests':
      return quietly(() =>
        getExternalWorkflowHandle(testsWorkflowId(effect.promotion, effect.attempt)).cancel(),
      );
    case 'wake':
      return quietly(() => getExternalWorkflowHandle(deploymentWorkflowId(effect.id)).signal(SIGNAL.look));
    case 'tell':
      return quietly(() => tells.tellPromotionPeople(effect.news));
  }
}

/** A lane that refuses it has ended it. */
async function deploy(desk: PromotionDesk, asked: QueueDeployment): Promise<void> {
  const { app, settings } = desk.state;
  if (!settings) throw new Error('a deployment is decided on a read, which brings the settings');
  const { parent, ...rest } = asked;
  const request: DeploymentRequest = {
    ...rest,
    app,
    parent: { type: 'promotion', id: parent },
    queuedAt: new Date().toISOString(),
    limits: settings.limits,
  };
  try {
    await untilTaken(() => tells.requestDeployment(request));
  } catch (error) {
    const { code, message } = codedFailure(error);
    const failure = { step: 'authorise', code, message } as const;
    const ended = { id: asked.id, outcome: 'rejected', verified: false, failure } as const;
    desk.change((draft) => events.deploymentEnded(draft, ended));
  }
}

const ASK_AGAIN_MS = 2_000;
/** Hours without a worker are no answer: it is asked again, and is the same wish under its id. */
const NO_ANSWERS: readonly Code[] = ['TIMED_OUT', 'NO_WORKER', 'TEMPORAL_DOWN'];

/** @throws ActivityFailure where it was refused */
async function untilTaken<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const { code } = codedFailure(error);
      if (!NO_ANSWERS.includes(code)) throw error;
      log.warn('Nobody took it; it is asked again', { code });
      await sleep(ASK_AGAIN_MS, { summary: 'until it is asked again' });
    }
  }
}

/** Abandoned, because continue-as-new terminates every other child. A report from elsewhere needs no workflow. */
async function startTests(
  desk: PromotionDesk,
  { promotion, attempt }: Extract<Effect, { do: 'test' }>,
): Promise<void> {
  const { app, settings, work, current } = desk.state;
  const { evidence } = work;
  if (!evidence || !settings?.tests || current?.id !== promotion || settings.tests.kind === 'report') return;
  const until = new Date(Date.now() + settings.tests.timeoutMs).toISOString();
  try {
    await startChild<typeof tests>(WORKFLOW.tests, {
      workflowId: testsWorkflowId(promotion, attempt),
      args: [{ app, promotion, attempt, evidence, until }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      cancellationType: 'ABANDON',
      staticSummary: `tests of ${promotion}, attempt ${attempt}`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    log.warn('These tests run already', { promotion, attempt });
  }
}

/** What is told to somebody who is gone, or cannot be told, holds nothing up (rule 8). */
async function quietly(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warn('Not told', { error: wordsOf(error) });
  }
}
