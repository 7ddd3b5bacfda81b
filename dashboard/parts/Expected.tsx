/** How long it usually takes, learnt from the app's own history, and how far it is. */
import { useEffect, useState } from 'preact/hooks';
import { ask } from '../live/api.js';
import { useNow } from '../live/store.js';
import { expectation, expectedWords, type Expectation } from '../model/expected.js';
import type { ShownDeployment } from '../model/types.js';
import { capital } from '../model/words.js';

const LEARNT_FROM = 20;

export function Expected({
  deployment: { app, environment },
  startedAt,
}: {
  deployment: ShownDeployment;
  startedAt: string;
}) {
  const now = useNow();
  const [expected, setExpected] = useState<Expectation>();
  useEffect(() => {
    const leaving = new AbortController();
    const query = new URLSearchParams({ app, environment, outcome: 'succeeded', limit: String(LEARNT_FROM) });
    ask<{ items: ShownDeployment[] }>(`/api/deployments?${query}`, { signal: leaving.signal }).then(
      ({ items }) => setExpected(expectation(items)),
      () => undefined, // without it the page only says less
    );
    return () => leaving.abort();
  }, [app, environment]);
  if (!expected) return null;
  const elapsed = now - Date.parse(startedAt);
  return (
    <div class="expected">
      <progress max={1} value={Math.min(elapsed / expected.ms, 1)} aria-label="Of the usual time" />
      <p class="hint">{capital(expectedWords(expected, elapsed))}</p>
    </div>
  );
}
