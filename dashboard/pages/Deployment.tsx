/** One deployment: on failure first what failed; then what can be done; its steps, tasks and events, live. */
import { useStore } from '../live/store.js';
import { useOne } from '../live/useOne.js';
import type { ShownDeployment } from '../model/types.js';
import { short } from '../model/words.js';
import { DeploymentActions } from '../parts/DeploymentActions.js';
import { Dossier } from '../parts/Dossier.js';
import { Changes } from '../parts/Changes.js';
import { Events } from '../parts/Events.js';
import { Outcome } from '../parts/Badge.js';
import { Expected } from '../parts/Expected.js';
import { Fleet } from '../parts/Fleet.js';
import { Sayings } from '../parts/Sayings.js';
import { Steps } from '../parts/Steps.js';
import { At, Took } from '../parts/Time.js';
import { Trouble } from '../parts/Trouble.js';
import { appPath, deploymentPath, Release, releasePath } from '../parts/names.js';

export function DeploymentPage({ id }: { id: string }) {
  const known = useStore((state) => state.world.deployments.get(id));
  const { one, problem } = useOne<ShownDeployment>(`/api/deployments/${id}`, known);
  if (!one && !problem) return <p class="hint">Looking …</p>;
  return (
    <>
      {problem && <Trouble problem={problem} />}
      {one && <Deployment deployment={one} />}
    </>
  );
}

function Deployment({ deployment }: { deployment: ShownDeployment }) {
  const { state, waitingFor, warnings, rollout, steps, startedAt, dossier } = deployment;
  const isOver = state === 'finished';
  const events = rollout?.events ?? dossier?.events ?? [];
  return (
    <article class="deployment" aria-labelledby="deployment">
      <Head deployment={deployment} />
      {deployment.failure && <Dossier deployment={deployment} failure={deployment.failure} />}
      {waitingFor && !isOver && (
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
      <DeploymentActions deployment={deployment} />
      {!isOver && startedAt && <Expected deployment={deployment} startedAt={startedAt} />}
      {warnings.map(({ code, message }) => (
        <p class="warning" key={code}>
          {message}
        </p>
      ))}
      <div class="columns">
        <Steps steps={steps} />
        <section aria-label="Tasks and events">
          {rollout && <Fleet rollout={rollout} isOver={isOver} />}
          <Events events={events} />
        </section>
      </div>
      <Changes deployment={deployment} />
    </article>
  );
}

function Head({ deployment }: { deployment: ShownDeployment }) {
  const {
    app,
    environment,
    kind,
    tag,
    release,
    outcome,
    state,
    actor,
    reason,
    queuedAt,
    startedAt,
    finishedAt,
    verified,
  } = deployment;
  return (
    <header>
      <h1 id="deployment">
        <a class="plain" href={appPath(app)}>
          {app}
        </a>{' '}
        <span aria-hidden="true">→</span> {environment} {tag && <Release name={tag} />}{' '}
        <Outcome of={outcome ?? state} />
        {outcome === 'succeeded' && verified === false && (
          <span class="hint"> which release runs could not be verified</span>
        )}
      </h1>
      <p class="hint">
        {kind}
        {release && release !== tag && ` of ${short(release)}`} by {actor} · asked <At at={queuedAt} />
        {startedAt && (
          <>
            {' '}
            · {finishedAt ? 'took' : 'runs for'}{' '}
            <Took from={startedAt} {...(finishedAt ? { to: finishedAt } : {})} />
          </>
        )}
      </p>
      {reason && <p class="reason">“{reason}”</p>}
      <Relations deployment={deployment} />
    </header>
  );
}

function Relations({
  deployment: { parent, retryOf, supersededBy, position, state, app },
}: {
  deployment: ShownDeployment;
}) {
  const isDeployment = supersededBy !== undefined && !supersededBy.startsWith('arn:');
  return (
    <ul class="relations">
      {parent?.type === 'release' && (
        <li>
          Part of the release <a href={releasePath(parent.id)}>{parent.id}</a>
        </li>
      )}
      {parent?.type === 'promotion' && (
        <li>
          Part of <a href={appPath(app)}>{app}’s promotion</a>
        </li>
      )}
      {retryOf && (
        <li>
          Tries <a href={deploymentPath(retryOf)}>an earlier one</a> again
        </li>
      )}
      {supersededBy && (
        <li>
          Replaced by{' '}
          {isDeployment ? (
            <a href={deploymentPath(supersededBy)}>another deployment</a>
          ) : (
            <code>{supersededBy}</code>
          )}
        </li>
      )}
      {state === 'queued' && position !== undefined && position > 0 && (
        <li>{position === 1 ? 'One goes before it' : `${position} go before it`}</li>
      )}
    </ul>
  );
}
