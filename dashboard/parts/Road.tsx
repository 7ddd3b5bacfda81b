/** One app's row: read from left to right, like the road itself; under it, in words, what it waits for. */
import type { ComponentChildren } from 'preact';
import { reachOf, sayingsOf, type Reach, type Road as RoadModel } from '../model/road.js';
import { plural } from '../model/words.js';
import { Badge } from './Badge.js';
import { Between } from './Between.js';
import { Gate } from './Gate.js';
import { NextSteps } from './NextSteps.js';
import { Sayings } from './Sayings.js';
import { Runs } from './Runs.js';
import { TestsStop } from './TestsStop.js';
import { appPath, Release } from './names.js';

const STOPS: Reach[] = ['main', 'staging', 'tests', 'gate', 'production'];

export function Road({ road, heading = 'h2' }: { road: RoadModel; heading?: 'h1' | 'h2' }) {
  const { app, queue, releaseOnly } = road;
  const Heading = heading;
  const title = `road-${app}`;
  return (
    <article class={releaseOnly ? 'road short' : 'road'} aria-labelledby={title}>
      <header>
        <Heading id={title}>
          {heading === 'h1' ? (
            <Breakable name={app} />
          ) : (
            <a href={appPath(app)}>
              <Breakable name={app} />
            </a>
          )}
        </Heading>
        <Policy road={road} />
        {queue?.lock && <Badge tone="waits">locked</Badge>}
      </header>
      {!releaseOnly && <Stops road={road} />}
      <footer>
        <Sayings sayings={sayingsOf(road)} />
        <NextSteps road={road} />
      </footer>
    </article>
  );
}

/** Long names break where their words do. */
const Breakable = ({ name }: { name: string }) => (
  <>
    {name.split(/(?<=[_-])/).map((part) => (
      <>
        {part}
        <wbr />
      </>
    ))}
  </>
);

function Policy({ road: { queue, releaseOnly, hasQueue } }: { road: RoadModel }) {
  const words = releaseOnly
    ? 'releases only'
    : queue?.policy.queue === 'off'
      ? 'every merge to staging'
      : queue?.policy.queue === 'every-merge'
        ? 'merge by merge'
        : hasQueue
          ? ''
          : 'no promotion queue';
  const automatic = queue?.policy.approval === 'automatic' ? 'approved automatically' : '';
  const text = [words, automatic].filter(Boolean).join(', ');
  return text ? <p class="policy">{text}</p> : null;
}

function Stops({ road }: { road: RoadModel }) {
  const reach = STOPS.indexOf(reachOf(road));
  const failedAt = road.queue?.current?.stage === 'failed' ? reach : -1;
  const stop = (name: Reach, label: string, content: ComponentChildren) => {
    const at = STOPS.indexOf(name);
    const water = at < reach ? 'passed' : at === reach ? 'here' : 'ahead';
    return (
      <li class={`stop ${name} ${at === failedAt ? 'broken' : water}`}>
        <h3>{label}</h3>
        {content}
      </li>
    );
  };
  return (
    <ol class="stops">
      {stop('main', 'main', <Main road={road} />)}
      {stop('staging', 'staging', <Runs place={road.staging} deploying={road.deploying.staging} />)}
      {stop('tests', 'tests', <TestsStop current={road.queue?.current} />)}
      {stop(
        'gate',
        'gate',
        <>
          <Gate road={road} />
          <Between road={road} />
        </>,
      )}
      {stop(
        'production',
        'production',
        <Runs place={road.production} deploying={road.deploying.production} />,
      )}
    </ol>
  );
}

const LISTED = 2;

function Main({ road: { queue, hasQueue } }: { road: RoadModel }) {
  if (!queue) return <p class="hint">{hasQueue ? 'not known' : 'no queue'}</p>;
  const { waiting, waitingCount, current } = queue;
  // What has come to staging stands at the gate.
  const carried = current?.stage === 'queued' || current?.stage === 'staging' ? current.merges.length : 0;
  return (
    <>
      <p class="figure">
        {waitingCount === 0
          ? 'nothing waits'
          : `${plural(waitingCount, 'merge')} ${waitingCount === 1 ? 'waits' : 'wait'}`}
      </p>
      <ul class="merges">
        {waiting
          .slice(-LISTED)
          .reverse()
          .map(({ id, release, merges }) => (
            <li key={id}>
              <Release name={release} /> {merges.at(-1)?.title}
            </li>
          ))}
      </ul>
      {carried > 0 && <p class="hint">{plural(carried, 'merge')} on the way</p>}
    </>
  );
}
