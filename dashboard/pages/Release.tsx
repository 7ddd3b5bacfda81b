/** One release: where it stands, what blocks it, where it was published. */
import { useStore } from '../live/store.js';
import { useOne } from '../live/useOne.js';
import type { ShownRelease } from '../model/types.js';
import { capital, short, stopped } from '../model/words.js';
import { Outcome } from '../parts/Badge.js';
import { ReleaseButtons } from '../parts/ReleaseButtons.js';
import { Sayings } from '../parts/Sayings.js';
import { Steps } from '../parts/Steps.js';
import { At } from '../parts/Time.js';
import { Trouble } from '../parts/Trouble.js';
import { appPath, deploymentPath, Out, Release as Name, releasePath } from '../parts/names.js';

export function ReleasePage({ id }: { id: string }) {
  const known = useStore((state) => state.world.releases.get(id));
  const { one, problem } = useOne<ShownRelease>(`/api/releases/${id}`, known);
  if (!one && !problem) return <p class="hint">Looking …</p>;
  return (
    <>
      {problem && <Trouble problem={problem} />}
      {one && <Release release={one} />}
    </>
  );
}

function Release({ release }: { release: ShownRelease }) {
  const {
    app,
    date,
    tag,
    state,
    outcome,
    actor,
    reason,
    requestedAt,
    waitingFor,
    blocked,
    failure,
    warnings,
    steps,
    first,
  } = release;
  return (
    <article class="deployment" aria-labelledby="release">
      <header>
        <h1 id="release">
          <a class="plain" href={appPath(app)}>
            {app}
          </a>{' '}
          {date} <Outcome of={outcome ?? state} />
        </h1>
        <p class="hint">
          Images <Name name={tag} />, also as <code>{release.imageTag}</code> · by {actor} · asked{' '}
          <At at={requestedAt} />
        </p>
        {reason && <p class="reason">“{reason}”</p>}
        {first && first !== release.id && (
          <p>
            The same images were released before: <a href={releasePath(first)}>{first}</a>
          </p>
        )}
      </header>
      {blocked && (
        <section class="dossier" aria-labelledby="blocked">
          <h2 id="blocked">Blocked at {blocked.step}</h2>
          <p>{stopped(capital(blocked.message))}</p>
          <ReleaseButtons release={release} />
        </section>
      )}
      {failure && (
        <section class="dossier" aria-labelledby="failed">
          <h2 id="failed">It ended at {failure.step}</h2>
          <p>{stopped(capital(failure.message))}</p>
          {failure.exists.length > 0 && <p>What it made stays: {failure.exists.join(', ')}.</p>}
        </section>
      )}
      {waitingFor && state === 'running' && (
        <Sayings
          sayings={[
            {
              tone: 'waits',
              text: waitingFor.detail,
              since: waitingFor.since,
              who: waitingFor.who,
              actions: waitingFor.actions,
            },
          ]}
        />
      )}
      {warnings.map(({ code, message }) => (
        <p class="warning" key={code}>
          {message}
        </p>
      ))}
      <Further release={release} />
      <Steps steps={steps} />
    </article>
  );
}

function Further({
  release: { deployment, links, pullRequest, releaseUrl, release },
}: {
  release: ShownRelease;
}) {
  return (
    <p class="links">
      {deployment && <a href={deploymentPath(deployment)}>its deployment</a>}
      <Out href={releaseUrl ?? links.release}>at GitHub</Out>
      <Out href={pullRequest ?? links.pullRequest}>changelog</Out>
      <Out href={links.runbook}>runbook</Out>
      <Out href={links.temporal}>Temporal</Out>
      {release && <span class="hint">commit {short(release)}</span>}
    </p>
  );
}
