import type { Route } from '../router.js';
import { apps } from './apps.js';
import { commits } from './commits.js';
import { contents } from './contents.js';
import { control } from './control.js';
import { deployments } from './deployments.js';
import { labels } from './labels.js';
import { pulls } from './pulls.js';
import { refs } from './refs.js';
import { releases } from './releases.js';
import { repositories } from './repositories.js';
import { searches } from './search.js';
import { teams } from './teams.js';
import { users } from './users.js';

/** The first that fits a request is taken. */
export const ROUTES: Route[] = [
  ...users,
  ...teams,
  ...apps,
  ...searches,
  ...repositories,
  ...commits,
  ...refs,
  ...contents,
  ...pulls,
  ...labels,
  ...releases,
  ...deployments,
  ...control,
];
