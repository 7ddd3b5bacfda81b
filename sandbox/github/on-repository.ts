/** Routes below `/repos/{owner}/{repo}`: the repository is found, the right to write asked, writes take turns. */
import { loginOf, refusal, type Need } from './access.js';
import type { Caller } from './caller.js';
import { failed, notFound, type Answer } from './answers.js';
import { isRecord, type Fields } from './fields.js';
import type { Repository } from './repository.js';
import type { Route, RouteRequest } from './router.js';
import type { Place } from './shapes/place.js';

export interface RepositoryRequest extends RouteRequest {
  repository: Repository;
  caller: Caller;
  /** Login of who asks. */
  by: string;
  place: Place;
  /** The body; empty where none was sent. */
  fields: Fields;
}

export interface RepositoryRoute {
  method: Route['method'];
  /** After `/repos/{owner}/{repo}`. */
  path: string;
  /** Absent: reads only. */
  need?: Need;
  docs?: string;
  /** Nothing needs to be sent with it. */
  bodyless?: boolean;
  handle(request: RepositoryRequest): Answer | Promise<Answer>;
}

export const CONTENTS: Need = { permissions: ['contents'] };

export function onRepository({ method, path, need, docs, bodyless, handle }: RepositoryRoute): Route {
  const link = docs && `https://docs.github.com/rest/${docs}`;
  return {
    method,
    path: `/repos/{owner}/{repo}${path}`,
    async handle(request) {
      const { repository, caller, state, url, params, body } = request;
      if (!repository || !caller || !isOf(repository, params)) return notFound(link);
      const refused = need ? refusal(caller, need, state, link) : undefined;
      if (refused) return refused;
      const isEmpty = bodyless === true || method === 'DELETE' || method === 'GET';
      if (need && !isEmpty && !isRecord(body) && !Array.isArray(body))
        return failed(422, "Invalid request.\n\nFor 'links/0/schema', nil is not an object.", link);
      const fields = isRecord(body) ? body : {};
      const place = { repository, state, url };
      const work = () => handle({ ...request, repository, caller, by: loginOf(caller), place, fields });
      return need ? repository.exclusive(work) : work();
    },
  };
}

const same = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase();

const isOf = ({ owner, name }: Repository, params: Record<string, string>): boolean =>
  same(params['owner'], owner) && same(params['repo'], name);
