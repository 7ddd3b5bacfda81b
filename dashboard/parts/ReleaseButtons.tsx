import { ActionButton } from '../actions/ActionButton.js';
import { abandon, retryRelease } from '../actions/releases.js';
import type { ShownRelease } from '../model/types.js';

/** A blocked release goes on, or ends. */
export function ReleaseButtons({ release }: { release: ShownRelease }) {
  if (release.state !== 'blocked') return null;
  return (
    <span class="buttons next">
      <ActionButton action={() => retryRelease(release)}>Retry</ActionButton>
      <ActionButton look="danger" action={() => abandon(release)}>
        Abandon
      </ActionButton>
    </span>
  );
}
