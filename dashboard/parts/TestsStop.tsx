/** How the tests of what is on the way went. */
import type { Promotion } from '../../domain/promotion/promotion.js';
import { Outcome } from './Badge.js';
import { Since } from './Time.js';

export function TestsStop({ current }: { current: Promotion | undefined }) {
  if (!current) return <p class="hint">–</p>;
  const { tests, stage, stagedAt } = current;
  if (!tests) {
    const none = stage === 'awaiting-approval' || stage === 'production' || stage === 'promoted';
    return <p class="hint">{none ? 'none configured' : stagedAt ? 'about to start' : 'after staging'}</p>;
  }
  const last = tests.attempts.at(-1);
  const at = tests.state === 'running' ? last?.startedAt : last?.finishedAt;
  return (
    <>
      <p class="figure">
        {tests.url ? (
          <a href={tests.url} rel="noreferrer">
            <Outcome of={tests.state} />
          </a>
        ) : (
          <Outcome of={tests.state} />
        )}
      </p>
      {tests.attempt > 1 && <p class="hint">attempt {tests.attempt}</p>}
      {at && (
        <p class="hint">
          {tests.state === 'running' ? 'for ' : ''}
          <Since at={at} />
          {tests.state === 'running' ? '' : ' ago'}
        </p>
      )}
      {last?.detail && tests.state !== 'passed' && <p class="hint clamp">{last.detail}</p>}
    </>
  );
}
