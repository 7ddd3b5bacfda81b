import { onRepository } from '../on-repository.js';
import type { Route } from '../router.js';
import { fullRepositoryBody } from '../shapes/repository.js';

export const repositories: Route[] = [
  onRepository({
    method: 'GET',
    path: '',
    docs: 'repos/repos#get-a-repository',
    handle: ({ place, caller, state }) => {
      const push = caller.user ? state.mayPush(caller.user.login) : false;
      const permissions = { admin: false, maintain: false, push, triage: push, pull: true };
      return { status: 200, body: { ...fullRepositoryBody(place), ...(caller.user ? { permissions } : {}) } };
    },
  }),
];
