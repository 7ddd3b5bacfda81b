import { defineSearchAttributeKey } from '@temporalio/common';
import { TypedSearchAttributes } from '@temporalio/common';
import type { Deployment, DeploymentRequest } from '../domain/deployment.js';
import { SEARCH_ATTRIBUTE } from '../domain/messages.js';

const key = {
  app: defineSearchAttributeKey(SEARCH_ATTRIBUTE.app, 'KEYWORD'),
  environment: defineSearchAttributeKey(SEARCH_ATTRIBUTE.environment, 'KEYWORD'),
  kind: defineSearchAttributeKey(SEARCH_ATTRIBUTE.kind, 'KEYWORD'),
  outcome: defineSearchAttributeKey(SEARCH_ATTRIBUTE.outcome, 'KEYWORD'),
  release: defineSearchAttributeKey(SEARCH_ATTRIBUTE.release, 'KEYWORD'),
  actor: defineSearchAttributeKey(SEARCH_ATTRIBUTE.actor, 'KEYWORD'),
} as const;

/** Known at acceptance. */
export const deploymentAttributes = (request: DeploymentRequest): TypedSearchAttributes =>
  new TypedSearchAttributes([
    { key: key.app, value: request.app },
    { key: key.environment, value: request.environment },
    { key: key.kind, value: request.kind },
    { key: key.actor, value: request.actor },
  ]);

/** Known at the end: one upsert, because each is an event. */
export const endAttributes = ({ outcome, release }: Deployment) => [
  ...(outcome ? [{ key: key.outcome, value: outcome }] : []),
  ...(release ? [{ key: key.release, value: release }] : []),
];
