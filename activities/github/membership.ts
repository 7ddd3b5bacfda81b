/** Rule 11, second half: a member is asked for again before the first write. */
import type { Identities } from '../../clients/identity.js';
import { later, refuse } from '../failure.js';

export interface MembershipDependencies {
  identities: Pick<Identities, 'isMaintainer'>;
  /** `{org}/{team}`, for the messages. */
  team: string;
}

/** Who runs Sluice has to act first: asking more often brings nothing. */
const MISCONFIGURED_MS = 60_000;

export function createMembership({ identities, team }: MembershipDependencies) {
  return {
    /**
     * Asks GitHub afresh. Fails closed:
     * `NOT_A_MAINTAINER` for good; `GITHUB_DOWN`, `GITHUB_REFUSED` until GitHub answers.
     */
    async requireMaintainer(login: string): Promise<void> {
      const answer = await identities.isMaintainer(login, { fresh: true });
      switch (answer.kind) {
        case 'member':
          return;
        case 'not-a-member':
          throw refuse(
            'NOT_A_MAINTAINER',
            `${login} is not an active member of the GitHub team ${team}${answer.message ? `. ${answer.message}` : ''}`,
          );
        case 'misconfigured':
          throw later('GITHUB_REFUSED', answer.message, MISCONFIGURED_MS);
        case 'github-down':
          throw later(
            'GITHUB_DOWN',
            `${answer.message}; whether ${login} is in ${team} is asked again`,
            answer.afterMs,
          );
      }
    },
  };
}
