/** Rule 11: who was a member in the last 24 hours still counts while GitHub is down. */
import { Context } from '@temporalio/activity';
import type { Identities } from '../../clients/identity.js';
import type { Credentials } from '../../clients/github-credentials.js';
import type { Config } from '../../domain/config/config.js';
import { mapLimited } from '../docker/limited.js';
import { GitHub } from '../github/ask.js';

export interface MembersDeps {
  config: Config;
  credentials: Credentials;
  identities: Pick<Identities, 'isMaintainer'>;
  now?: () => number;
}

/** What is remembered lasts a day: often enough, and few of the 5,000 calls that GitHub allows in an hour. */
const EVERY_MS = 60 * 60_000;
const MOST = 100;
const AT_ONCE = 4;

export function createMembers({ config, credentials, identities, now = Date.now }: MembersDeps) {
  const github = new GitHub({ config, credentials });
  const { org, team } = config.maintainers;
  let last = -Infinity;
  return {
    /**
     * Asks for each member of the team (of a large one the first 100), so that this process remembers the answer:
     * memory is a process's own, each worker's is warmed when a pass comes to it. The API's holds whom it was asked for.
     * @throws ApplicationFailure retryable `GITHUB_DOWN`, `GITHUB_REFUSED`; `GITHUB_FAILED`
     */
    async rememberMembers(): Promise<void> {
      const startedAt = now();
      if (startedAt - last < EVERY_MS || (await isNobody(credentials))) return;
      const members = await github.ask(
        { what: `listing the members of ${org}/${team}`, needs: 'Members: read' },
        (rest) => rest.teams.listMembersInOrg({ org, team_slug: team, per_page: MOST }),
      );
      const { cancellationSignal: signal } = Context.current();
      await mapLimited({ items: members, limit: AT_ONCE, signal }, async ({ login }, _, ends) => {
        ends.throwIfAborted();
        await identities.isMaintainer(login);
      });
      last = startedAt;
    },
  };
}

const isNobody = (credentials: Credentials): Promise<boolean> =>
  credentials.token().then(
    (token) => token === undefined,
    () => false,
  );
