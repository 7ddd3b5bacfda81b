/** One app in one environment: what runs, what waits in its lane, and all that can be done there. */
import { ActionButton } from '../actions/ActionButton.js';
import { deploy, lock, redeploy, rollBack, unlock } from '../actions/deployments.js';
import { release as releaseAction } from '../actions/releases.js';
import type { Place } from '../model/types.js';
import { PRODUCTION } from '../model/types.js';
import { capital, revisionName, short } from '../model/words.js';
import { Runs } from './Runs.js';
import { deploymentPath, Out } from './names.js';

export function Environment({ place }: { place: Place }) {
  const { app, environment, lane, links, warnings, revision } = place;
  const id = `environment-${environment}`;
  return (
    <section class="environment" aria-labelledby={id}>
      <h2 id={id}>{capital(environment)}</h2>
      <Runs place={place} deploying={undefined} />
      {revision && <p class="hint">{revisionName(revision)}</p>}
      {warnings.map(({ code, message }) => (
        <p class="warning" key={code}>
          {message}
        </p>
      ))}
      {lane.waiting.length > 0 && (
        <ol class="lane">
          {lane.waiting.map((ticket) => (
            <li key={ticket.id}>
              <a href={deploymentPath(ticket.id)}>
                {ticket.kind} {short(ticket.tag)}
              </a>{' '}
              <span class="hint">
                by {ticket.actor}
                {!ticket.ready && ', its images are being built'}
              </span>
            </li>
          ))}
        </ol>
      )}
      <p class="buttons next">
        <ActionButton action={() => deploy(place)}>Deploy …</ActionButton>
        {environment === PRODUCTION && (
          <ActionButton action={() => releaseAction(app)}>Release …</ActionButton>
        )}
        <ActionButton action={() => redeploy(place)}>Redeploy</ActionButton>
        <ActionButton action={() => rollBack(place)}>Roll back</ActionButton>
        {lane.lock ? (
          <ActionButton action={() => unlock(place)}>Unlock</ActionButton>
        ) : (
          <ActionButton action={() => lock(place)}>Lock</ActionButton>
        )}
      </p>
      <p class="links">
        <Out href={links.app}>the app</Out>
        <Out href={links.version}>version</Out>
        <Out href={links.logs}>logs</Out>
        <Out href={links.runbook}>runbook</Out>
        <Out href={links.ecs}>ECS</Out>
        <Out href={links.temporal}>Temporal</Out>
      </p>
    </section>
  );
}
