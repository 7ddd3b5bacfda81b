import type { Route } from '../router.js';
import { actions } from './actions.js';
import { apps } from './apps.js';
import { comments } from './comments.js';
import { commits } from './commits.js';
import { contents } from './contents.js';
import { control } from './control.js';
import { deployments } from './deployments.js';
import { hooks } from './hooks.js';
import { labels } from './labels.js';
import { merges } from './merges.js';
import { oauth } from './oauth.js';
import { plays } from './play.js';
import { pulls } from './pulls.js';
import { refs } from './refs.js';
import { releases } from './releases.js';
import { repositories } from './repositories.js';
import { searches } from './search.js';
import { sites } from './site.js';
import { statuses } from './statuses.js';
import { teams } from './teams.js';
import { users } from './users.js';

/** The first that fits a request is taken. */
export const ROUTES: Route[] = [
  ...users,
  ...teams,
  ...apps,
  ...oauth,
  ...searches,
  ...repositories,
  ...statuses,
  ...commits,
  ...refs,
  ...contents,
  ...pulls,
  ...merges,
  ...comments,
  ...labels,
  ...releases,
  ...deployments,
  ...actions,
  ...hooks,
  ...control,
  ...plays,
  // Last: they begin with any owner.
  ...sites,
];
