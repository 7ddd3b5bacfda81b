import { defineSearchAttributeKey } from '@temporalio/common';
import { TypedSearchAttributes } from '@temporalio/common';
import type { Deployment, DeploymentRequest } from '../domain/deployment.js';
import { SEARCH_ATTRIBUTE } from '../domain/messages.js';
import type { Release, ReleaseRequest } from '../domain/release/release.js';

const key = {
  app: defineSearchAttributeKey(SEARCH_ATTRIBUTE.app, 'KEYWORD'),
  environment: defineSearchAttributeKey(SEARCH_ATTRIBUTE.environment, 'KEYWORD'),
  kind: defineSearchAttributeKey(SEARCH_ATTRIBUTE.kind, 'KEYWORD'),
  outcome: defineSearchAttributeKey(SEARCH_ATTRIBUTE.outcome, 'KEYWORD'),
  release: defineSearchAttributeKey(SEARCH_ATTRIBUTE.release, 'KEYWORD'),
  actor: defineSearchAttributeKey(SEARCH_ATTRIBUTE.actor, 'KEYWORD'),
} as const;

/** Known at acceptance. */
export const startAttributes = ({
  app,
  environment,
  kind,
  actor,
}: Pick<Deployment, 'app' | 'environment' | 'kind' | 'actor'>) => [
  { key: key.app, value: app },
  { key: key.environment, value: environment },
  { key: key.kind, value: kind as string },
  { key: key.actor, value: actor },
];

export const deploymentAttributes = (request: DeploymentRequest): TypedSearchAttributes =>
  new TypedSearchAttributes(startAttributes(request));

/** Known at the end: one upsert, because each is an event. */
export const endAttributes = ({ outcome, release }: Deployment) => [
  ...(outcome ? [{ key: key.outcome, value: outcome }] : []),
  ...(release ? [{ key: key.release, value: release }] : []),
];

/** Without an environment: lists by environment are lists of deployments, and a release has its own. */
export const releaseAttributes = ({ app, actor }: ReleaseRequest): TypedSearchAttributes =>
  new TypedSearchAttributes([
    { key: key.app, value: app },
    { key: key.kind, value: 'release' },
    { key: key.actor, value: actor },
  ]);

/** Known at the end. */
export const releaseEndAttributes = ({ outcome, release }: Release) => [
  ...(outcome ? [{ key: key.outcome, value: outcome }] : []),
  ...(release ? [{ key: key.release, value: release }] : []),
];
