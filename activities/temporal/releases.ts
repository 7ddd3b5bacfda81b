/** What a release asks of others: the app's `releases`, and what the production lane holds. */
import type { Client } from '@temporalio/client';
import { releasesEntity, signalEntity } from '../../clients/entities.js';
import { markOf } from '../../domain/bad.js';
import type { ImageClaim, ImageClaimed, ReleaseStateChange } from '../../domain/messages.js';
import { SIGNAL, UPDATE } from '../../domain/messages.js';
import type { LiveInput, LiveState } from '../../domain/release/effects.js';
import { askEntity } from './ask.js';
import type { LaneReader } from './requests.js';

export function createReleaseMessages({ client, readLane }: { client: Client; readLane: LaneReader }) {
  return {
    /** Tells the app's `releases` how a release stands. */
    releaseState: ({ app, change }: { app: string; change: ReleaseStateChange }): Promise<void> =>
      signalEntity(client, releasesEntity(app), { signal: SIGNAL.releaseState, input: change }),

    /** @returns `first`: another release holds the same images */
    claimImages: ({ app, claim }: { app: string; claim: ImageClaim }): Promise<ImageClaimed> =>
      askEntity(client, releasesEntity(app), {
        ...{ update: UPDATE.claim, updateId: `claim/${claim.id}`, input: claim },
      }),

    /** What runs in an environment, as far as its lane knows. */
    async liveRelease({ app, environment, release }: LiveInput): Promise<LiveState> {
      const view = await readLane({ app, environment });
      if (!view) return { busy: false };
      const bad = markOf(view.bad ?? [], release);
      return {
        ...(view.live ? { live: view.live } : {}),
        busy: view.running !== undefined || view.waitingCount > 0,
        ...(bad ? { bad } : {}),
      };
    },
  };
}
