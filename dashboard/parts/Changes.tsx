/** What it changed: images before and after, variables by name. */
import { Images, Names } from '../actions/Plan.js';
import type { ShownDeployment } from '../model/types.js';
import { revisionName } from '../model/words.js';

export function Changes({
  deployment: { images, variables, secrets, revision },
}: {
  deployment: ShownDeployment;
}) {
  if (!images && !revision) return null;
  return (
    <section class="changes" aria-label="What it changes">
      <h2>What it changes</h2>
      {images && images.length > 0 && <Images images={images} />}
      <Names what="Variables" changes={variables} />
      <Names what="Secrets" changes={secrets} />
      {revision && (
        <p class="hint">
          Task definition <code title={revision}>{revisionName(revision)}</code>
        </p>
      )}
    </section>
  );
}
