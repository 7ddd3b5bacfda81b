/** What a rollback can go back to: verified releases first, the one before the live one proposed. */
import { useEffect, useId, useState } from 'preact/hooks';
import { ask, asProblem, type Problem } from '../live/api.js';
import type { RollbackTarget } from '../model/types.js';
import { short } from '../model/words.js';
import { Since } from '../parts/Time.js';
import { Trouble } from '../parts/Trouble.js';

interface Props {
  app: string;
  environment: string;
  chosen: string | boolean | undefined;
  onChoose: (tag: string) => void;
}

const SHOWN = 12;

export function Targets({ app, environment, chosen, onChoose }: Props) {
  const [items, setItems] = useState<RollbackTarget[]>();
  const [problem, setProblem] = useState<Problem>();
  const name = useId();
  useEffect(() => {
    const leaving = new AbortController();
    ask<{ items: RollbackTarget[] }>(`/api/targets/${environment}/${app}`, { signal: leaving.signal }).then(
      (answer) => {
        setItems(answer.items);
        const proposed = answer.items.find(({ verified, live, bad }) => verified && !live && !bad);
        if (proposed) onChoose(proposed.tag);
      },
      (error: unknown) => leaving.signal.aborted || setProblem(asProblem(error)),
    );
    return () => leaving.abort();
  }, [app, environment]);
  if (problem) return <Trouble problem={problem} />;
  if (!items) return <p class="hint">Looking for releases …</p>;
  const possible = items.filter(({ live }) => !live);
  return (
    <fieldset class="field choices">
      <legend>Go back to</legend>
      {possible.length === 0 && <p class="hint">There is no other release that could be rolled back to.</p>}
      {possible.slice(0, SHOWN).map((target) => (
        <label key={target.tag}>
          <input
            type="radio"
            name={name}
            checked={chosen === target.tag}
            onChange={() => onChoose(target.tag)}
          />
          <span>
            <code>{short(target.tag)}</code>{' '}
            <span class="hint">
              <Words target={target} />
            </span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function Words({ target: { release, tag, verified, at, by, bad } }: { target: RollbackTarget }) {
  return (
    <>
      {release && release !== tag && `${short(release)}, `}
      {verified ? 'verified here' : 'never verified here'}
      {at && (
        <>
          {' '}
          <Since at={at} /> ago
        </>
      )}
      {by && `, by ${by}`}
      {bad && (
        <strong class="bad">
          {' '}
          marked bad by {bad.by}: {bad.reason}
        </strong>
      )}
    </>
  );
}
