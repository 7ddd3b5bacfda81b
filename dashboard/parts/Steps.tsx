/** Steps with their times: each a bar in the whole, so that one sees where the time went. */
import type { StepState } from '../../domain/deployment.js';
import { useNow } from '../live/store.js';
import { durationOf } from '../model/words.js';

interface Step {
  name: string;
  state: StepState;
  startedAt?: string;
  finishedAt?: string;
  detail?: string;
}

const WORDS: Record<StepState, string> = {
  pending: 'to come',
  running: 'now',
  done: '',
  failed: 'failed',
  skipped: 'skipped',
};

export function Steps({ steps }: { steps: Step[] }) {
  const now = useNow();
  const begun = steps.flatMap(({ startedAt }) => (startedAt ? Date.parse(startedAt) : []));
  const from = Math.min(...begun);
  const to = Math.max(...steps.map((step) => endOf(step, now)), from + 1);
  return (
    <section aria-label="Steps">
      <h2>Steps</h2>
      <ol class="steps">
        {steps.map((step) => (
          <li key={step.name} class={step.state} aria-current={step.state === 'running' ? 'step' : undefined}>
            <span class="name">{step.name}</span>
            <span class="bar">{step.startedAt && <Bar step={step} from={from} to={to} now={now} />}</span>
            <span class="took">
              {step.startedAt ? durationOf(endOf(step, now) - Date.parse(step.startedAt)) : ''}{' '}
              {WORDS[step.state]}
            </span>
            {step.detail && <span class="detail hint">{step.detail}</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}

const endOf = ({ startedAt, finishedAt, state }: Step, now: number): number =>
  finishedAt
    ? Date.parse(finishedAt)
    : startedAt && state === 'running'
      ? now
      : Date.parse(startedAt ?? '') || 0;

function Bar({ step, from, to, now }: { step: Step; from: number; to: number; now: number }) {
  const start = Date.parse(step.startedAt ?? '');
  const percent = (ms: number): string => `${(Math.max(0, ms) / (to - from)) * 100}%`;
  return <i style={{ left: percent(start - from), width: percent(endOf(step, now) - start) }} />;
}
