/** What the routes stand on. */
import type { Identities } from '../clients/identity.js';
import type { Temporal } from '../clients/temporal.js';
import type { Config } from '../domain/config/config.js';
import type { Guards, Person } from './auth.js';
import type { Dashboard } from './dashboard.js';
import type { DeploymentView } from '../domain/view.js';
import { withoutLogs } from '../domain/view.js';
import type { LinkSettings } from './links.js';
import { linksOfDeployment } from './links.js';
import type { Live } from './live.js';
import type { Metrics } from './metrics.js';
import type { ReleaseTags } from './release-tags.js';
import type { SignIn } from './sign-in.js';
import type { Watchers } from './watchers.js';

export interface ApiDeps {
  config: Config;
  temporal: Temporal;
  identities: Identities;
  live: Live;
  releaseTags: ReleaseTags;
  metrics: Metrics;
  /** With what senders sign; one that is absent: nothing signed is taken there. */
  webhookSecrets?: {
    /** `GITHUB_WEBHOOK_SECRET`. */
    github?: string;
    /** `TESTS_WEBHOOK_SECRET`. */
    tests?: string;
  };
  /** Sluice's own release. */
  release: string;
  /** `SLUICE_PUBLIC_URL`. */
  publicUrl?: string;
  /** `TEMPORAL_UI_URL`. */
  temporalUiUrl?: string;
  /** Browser sign-in; absent: there is none. */
  signIn?: SignIn;
  /** `ECS_WEBHOOK_SECRET`; absent: `POST /webhooks/ecs` is off. */
  ecsWebhookSecret?: string;
  /** The repository's page at GitHub, without a slash at its end. */
  repositoryUrl?: string;
  /** Absent: nothing is served at `/`. */
  dashboard?: Dashboard;
}

export interface Context extends ApiDeps {
  guards: Guards;
  links: LinkSettings;
  watchers: Watchers;
}

/** A deployment as this person may see it. */
export function shownTo(context: Context, view: DeploymentView, person: Person) {
  const all = person.maintainer || context.config.access.logs === 'public';
  return { ...(all ? view : withoutLogs(view)), links: linksOfDeployment(context.links, view) };
}
