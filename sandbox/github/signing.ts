import type { Person } from './git.js';
import type { GitHubState } from './state.js';

/** How GitHub signs a commit for a person: an address that it knows them by again. */
export const noreply = (login: string, state: GitHubState): Person => ({
  name: login,
  email: `${state.user(login)?.id ?? 10_137}+${login}@users.noreply.github.com`,
});
