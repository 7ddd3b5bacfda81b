/** Deployments, one a line. */
import { tookMs } from '../model/expected.js';
import type { ShownDeployment } from '../model/types.js';
import { durationOf, short } from '../model/words.js';
import { Outcome } from './Badge.js';
import { At, Took } from './Time.js';
import { appPath, deploymentPath } from './names.js';

interface Props {
  deployments: ShownDeployment[];
  caption: string;
  /** The column is left out where all are of one app. */
  withApp?: boolean;
}

export function DeploymentTable({ deployments, caption, withApp = true }: Props) {
  return (
    <div class="scroll">
      <table class="deployments">
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">what</th>
            {withApp && <th scope="col">app</th>}
            <th scope="col">environment</th>
            <th scope="col">outcome</th>
            <th scope="col">took</th>
            <th scope="col">by</th>
            <th scope="col">when</th>
          </tr>
        </thead>
        <tbody>
          {deployments.map((one) => (
            <Row key={one.id} one={one} withApp={withApp} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ one, withApp }: { one: ShownDeployment; withApp: boolean }) {
  const {
    id,
    kind,
    tag,
    app,
    environment,
    outcome,
    state,
    step,
    failure,
    actor,
    queuedAt,
    startedAt,
    finishedAt,
    verified,
  } = one;
  const took = tookMs(one);
  const code = failure?.code.replaceAll('_', ' ').toLowerCase();
  const why = code === outcome?.replaceAll('-', ' ') ? undefined : code;
  return (
    <tr>
      <td>
        <a href={deploymentPath(id)}>
          {kind} {tag ? <code>{short(tag)}</code> : 'what runs'}
        </a>
      </td>
      {withApp && (
        <td>
          <a class="plain" href={appPath(app)}>
            {app}
          </a>
        </td>
      )}
      <td>{environment}</td>
      <td>
        <Outcome of={outcome ?? state} />
        {state === 'running' && step && <span class="hint"> {step}</span>}
        {outcome === 'succeeded' && verified === false && <span class="hint"> not verified</span>}
        {why && <span class="hint"> {why}</span>}
      </td>
      <td>
        {took !== undefined ? durationOf(took) : startedAt && !finishedAt ? <Took from={startedAt} /> : '–'}
      </td>
      <td>{actor}</td>
      <td>
        <At at={finishedAt ?? queuedAt} />
      </td>
    </tr>
  );
}
