/** What would happen, before it does: `POST /api/plans`. */
import { useEffect, useState } from 'preact/hooks';
import type { NameChanges } from '../../domain/deployment.js';
import { ask, asProblem, type Problem } from '../live/api.js';
import { useStore } from '../live/store.js';
import type { Shown } from '../model/plan.js';
import { isQuiet, knowsCommits } from '../model/plan.js';
import { imageName, plural, stopped } from '../model/words.js';
import { Commit, Release } from '../parts/names.js';
import { Trouble } from '../parts/Trouble.js';

/** Nobody types a tag letter by letter to see a plan of each. */
const SETTLED_MS = 400;

interface Props {
  body: object | undefined;
  /** Whether what will happen stands there, or the person does without. */
  onSeen: (seen: boolean) => void;
}

export function Plan({ body, onSeen }: Props) {
  const csrf = useStore((state) => state.me?.csrf);
  const [plan, setPlan] = useState<Shown>();
  const [problem, setProblem] = useState<Problem>();
  const [attempt, setAttempt] = useState(0);
  const text = body && JSON.stringify(body);
  useEffect(() => {
    setPlan(undefined);
    setProblem(undefined);
    onSeen(false);
    if (!text) return;
    const leaving = new AbortController();
    const read = (): void => {
      ask<Shown>('/api/plans', {
        method: 'POST',
        body: JSON.parse(text) as object,
        signal: leaving.signal,
        ...(csrf ? { csrf } : {}),
      }).then(
        (answer) => {
          setPlan(answer);
          onSeen(true);
        },
        (error: unknown) => leaving.signal.aborted || setProblem(asProblem(error)),
      );
    };
    const timer = setTimeout(read, attempt === 0 ? SETTLED_MS : 0);
    return () => {
      clearTimeout(timer);
      leaving.abort();
    };
  }, [text, attempt]);
  if (!text) return null;
  return (
    <section class="plan" aria-label="What will happen" aria-busy={!plan && !problem}>
      <h3>What will happen</h3>
      {plan && <Planned plan={plan} />}
      {problem && (
        <Unplanned problem={problem} onAgain={() => setAttempt((count) => count + 1)} onSeen={onSeen} />
      )}
      {!plan && !problem && <p class="hint">Looking …</p>}
    </section>
  );
}

function Unplanned({
  problem,
  onAgain,
  onSeen,
}: {
  problem: Problem;
  onAgain: () => void;
  onSeen: Props['onSeen'];
}) {
  return (
    <>
      <Trouble problem={problem} />
      <p class="buttons">
        <button type="button" onClick={onAgain}>
          Look again
        </button>
        {problem.isOutage && (
          <label class="inline">
            <input type="checkbox" onChange={({ currentTarget }) => onSeen(currentTarget.checked)} />
            Go on without having seen it
          </label>
        )}
      </p>
    </>
  );
}

function Planned({ plan }: { plan: Shown }) {
  const { release, tag, before, images, variables, secrets, tests, warnings, refusal } = plan;
  return (
    <>
      {(release ?? tag) && (
        <p>
          {before && before !== release && (
            <>
              From <Release name={before} /> to{' '}
            </>
          )}
          <Release name={release ?? tag ?? ''} />
          {tests && (
            <>
              {' '}
              · tests {tests.state}{' '}
              {tests.url && (
                <a class="out" href={tests.url} rel="noreferrer">
                  the run
                </a>
              )}
            </>
          )}
        </p>
      )}
      {knowsCommits(plan) && <Commits plan={plan} />}
      {images.length > 0 && <Images images={images} />}
      <Names what="Variables" changes={variables} />
      <Names what="Secrets" changes={secrets} />
      {refusal && (
        <p class="trouble">
          It would be refused at {refusal.step}: {stopped(refusal.message)}
        </p>
      )}
      {isQuiet(plan) && <p class="hint">No variable and no secret changes.</p>}
      {warnings.map(({ code, message }) => (
        <p class="warning" key={code}>
          {message}
        </p>
      ))}
    </>
  );
}

function Commits({ plan: { commits, commitCount, back } }: { plan: Shown }) {
  const count = plural(commitCount, 'commit');
  const words = commitCount === 0 ? 'The same commits as there' : back ? `Takes ${count} out` : count;
  return (
    <>
      <h4>{words}</h4>
      <ul class="commits">
        {commits.map((commit) => (
          <Commit key={commit.sha} {...commit} />
        ))}
      </ul>
      {commitCount > commits.length && <p class="hint">and {commitCount - commits.length} more</p>}
    </>
  );
}

export function Images({ images }: { images: { container: string; before?: string; after?: string }[] }) {
  return (
    <div class="scroll">
      <table class="images">
        <caption>Images</caption>
        <thead>
          <tr>
            <th scope="col">container</th>
            <th scope="col">before</th>
            <th scope="col">after</th>
          </tr>
        </thead>
        <tbody>
          {images.map(({ container, before, after }) => (
            <tr key={container}>
              <th scope="row">{container}</th>
              <td>{before ? <Image reference={before} /> : '–'}</td>
              <td>{after ? <Image reference={after} /> : '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Image({ reference }: { reference: string }) {
  const { name, tag, digest } = imageName(reference);
  return (
    <code title={reference}>
      {name}
      {tag && `:${tag}`} {digest && <span class="hint">{digest}</span>}
    </code>
  );
}

export function Names({ what, changes }: { what: string; changes: NameChanges | undefined }) {
  if (!changes) return null;
  const { added, removed, changed } = changes;
  if (added.length + removed.length + changed.length === 0) return null;
  const list = (words: string, names: string[]) =>
    names.length > 0 && (
      <li>
        {words}{' '}
        {names.map((name) => (
          <code key={name}>{name} </code>
        ))}
      </li>
    );
  return (
    <>
      <h4>{what}</h4>
      <ul class="names">
        {list('added', added)}
        {list('removed', removed)}
        {list('changed', changed)}
      </ul>
    </>
  );
}
