/** The build as it is sent, in the shape of `domain/build.ts`, and what is sent to make one. */
import { Type } from 'typebox';
import type { Code } from '../../domain/codes.js';
import { CODES } from '../../domain/codes.js';
import { choice, closed, Name } from './common.js';
import { BuildProgress, WaitingFor } from './deployments.js';

const text = Type.String();
const optional = Type.Optional;

export const NewBuild = Type.Object(
  {
    app: Name,
    commit: Type.String({ pattern: '^[0-9a-f]{40}$', description: '40 hex, lower-case, on the branch' }),
  },
  closed,
);

export const AcceptedBuild = Type.Object({ id: text }, closed);

export const BuildParams = Type.Object(
  { id: Type.String({ minLength: 1, maxLength: 200, description: '{app}.{commit}' }) },
  closed,
);

export const Build = Type.Object(
  {
    id: text,
    app: text,
    commit: text,
    state: choice(['running', 'finished']),
    outcome: optional(choice(['succeeded', 'failed', 'rejected', 'stopped'])),
    images: Type.Array(Type.Object({ repository: text, digest: text }, closed)),
    failure: optional(Type.Object({ code: choice(Object.keys(CODES) as Code[]), message: text }, closed)),
    lastLines: optional(Type.Array(text, { description: 'Maintainers only, unless access.logs is public' })),
    progress: optional(BuildProgress),
    waitingFor: optional(WaitingFor),
  },
  { ...closed, title: 'Build' },
);
