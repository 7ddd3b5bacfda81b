/** What failed, in plain words, before anything else. */
import type { Failure, StoppedTasks } from '../../domain/deployment.js';
import { useStore } from '../live/store.js';
import { entryOf, textOf } from '../model/codes.js';
import type { ShownDeployment } from '../model/types.js';
import { capital, either, plural, stopped } from '../model/words.js';

export function Dossier({ deployment, failure }: { deployment: ShownDeployment; failure: Failure }) {
  const { dossier, environment } = deployment;
  const entry = entryOf(failure.code);
  return (
    <section class="dossier" aria-labelledby="failed">
      <h2 id="failed">{stopped(capital(textOf(failure.code)))}</h2>
      <p>{stopped(capital(failure.message))}</p>
      <p class="hint">
        In step {failure.step}.
        {entry &&
          ` ${capital(entry.who)} can do something about it${entry.actions.length > 0 ? `: ${either(entry.actions)}` : ''}.`}
      </p>
      {dossier?.now && (
        <p>
          What {environment} runs now: {stopped(dossier.now)}
        </p>
      )}
      {dossier && dossier.stoppedTasks.length > 0 && <Stopped groups={dossier.stoppedTasks} />}
      <LastLines deployment={deployment} />
    </section>
  );
}

function Stopped({ groups }: { groups: StoppedTasks[] }) {
  return (
    <>
      <h3>Tasks that stopped</h3>
      <ul class="stopped">
        {groups.map(({ reason, count, exitCodes }) => (
          <li key={reason}>
            <strong>{plural(count, 'task')}</strong> {reason}
            {Object.entries(exitCodes).map(([container, code]) => (
              <code key={container}>
                {' '}
                {container} ended with {code}
              </code>
            ))}
          </li>
        ))}
      </ul>
    </>
  );
}

function LastLines({ deployment: { dossier } }: { deployment: ShownDeployment }) {
  const isMaintainer = useStore((state) => state.me?.maintainer ?? false);
  if (!dossier) return null;
  if (!dossier.lastLines)
    return isMaintainer ? null : <p class="hint">What it wrote last is shown to maintainers.</p>;
  return (
    <>
      {dossier.lastLines.map(({ source, lines }) => (
        <div key={source}>
          <h3>Last lines of {source}</h3>
          <pre tabIndex={0} aria-label={`Last lines of ${source}`}>
            {lines.join('\n')}
          </pre>
        </div>
      ))}
    </>
  );
}
