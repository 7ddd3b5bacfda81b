/** What runs in an environment, and what is being done to it. */
import type { Place, ShownDeployment } from '../model/types.js';
import { capital, short } from '../model/words.js';
import { Tasks } from './Tasks.js';
import { Since } from './Time.js';
import { deploymentPath, Release } from './names.js';

export function Runs({
  place,
  deploying,
}: {
  place: Place | undefined;
  deploying: ShownDeployment | undefined;
}) {
  if (!place) return <p class="hint">no service</p>;
  const { release, tag, desired, running, pending, since, by, lane, warnings } = place;
  const isAnotherTag = tag !== undefined && tag !== release;
  return (
    <>
      <p class="figure">
        {release ? <Release name={release} /> : <span class="unknown">unknown release</span>}
        {isAnotherTag && <span class="hint"> {short(tag)}</span>}
      </p>
      <p>{desired !== undefined && <Tasks desired={desired} running={running ?? 0} pending={pending} />}</p>
      {since && (
        <p class="hint">
          for <Since at={since} />
          {by && ` · by ${by}`}
        </p>
      )}
      {lane.lock && (
        <p class="lockline">
          locked <span class="hint">by {lane.lock.by}</span>
        </p>
      )}
      {lane.running && <Deploying id={lane.running.id} tag={lane.running.tag} deployment={deploying} />}
      {lane.waitingCount > 0 && <p class="hint">{lane.waitingCount} in its lane</p>}
      {warnings.map(({ code, message }) => (
        <p key={code} class="warning small" title={message}>
          {capital(code.replaceAll('_', ' ').toLowerCase())}
        </p>
      ))}
    </>
  );
}

function Deploying({
  id,
  tag,
  deployment,
}: {
  id: string;
  tag: string;
  deployment: ShownDeployment | undefined;
}) {
  const { step, rollout } = deployment ?? {};
  return (
    <p class="deploying">
      <a href={deploymentPath(id)}>
        <span aria-hidden="true">→ </span>
        {tag ? short(tag) : 'redeployment'}: {step ?? 'starts'}
        {step === 'stabilise' && rollout && rollout.desired > 0 && ` ${rollout.running}/${rollout.desired}`}
      </a>
    </p>
  );
}
