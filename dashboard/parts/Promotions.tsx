/** Promotions: the one on its way with all it brings, and those that have ended. */
import type { Promotion, TestAttempt } from '../../domain/promotion/promotion.js';
import { plural, short } from '../model/words.js';
import { Outcome } from './Badge.js';
import { At, Took } from './Time.js';
import { Commit, deploymentPath, Release } from './names.js';

export function OnTheWay({ current }: { current: Promotion }) {
  const { merges, tests, approval, staging, production, release } = current;
  return (
    <section aria-labelledby="way">
      <h2 id="way">
        On the way: <Release name={release} /> <Outcome of={current.stage} />
      </h2>
      <p class="hint">{plural(merges.length, 'merge')} in it:</p>
      <ul class="commits">
        {merges.map((merge) => (
          <Commit key={merge.sha} {...merge} />
        ))}
      </ul>
      {tests && <Attempts attempts={tests.attempts} />}
      {approval && (
        <p>
          Approved by {approval.by} <At at={approval.at} />
          {approval.override && ', with override'}
          {approval.reason && `: “${approval.reason}”`}
        </p>
      )}
      <p class="links">
        {staging && <a href={deploymentPath(staging)}>deployment to staging</a>}
        {production && <a href={deploymentPath(production)}>deployment to production</a>}
      </p>
    </section>
  );
}

function Attempts({ attempts }: { attempts: TestAttempt[] }) {
  return (
    <ul class="attempts">
      {attempts.map(({ attempt, state, url, detail, startedAt, finishedAt }) => (
        <li key={attempt}>
          Tests, attempt {attempt}: <Outcome of={state} />{' '}
          <span class="hint">
            <Took from={startedAt} {...(finishedAt ? { to: finishedAt } : {})} />
          </span>{' '}
          {url && (
            <a class="out" href={url} rel="noreferrer">
              the run
            </a>
          )}{' '}
          {detail && <span class="hint">{detail}</span>}
        </li>
      ))}
    </ul>
  );
}

export function Promotions({ recent }: { recent: Promotion[] }) {
  return (
    <section aria-labelledby="recent">
      <h2 id="recent">Promotions before</h2>
      <div class="scroll">
        <table>
          <caption class="visually-hidden">Promotions that have ended, newest first</caption>
          <thead>
            <tr>
              <th scope="col">release</th>
              <th scope="col">what it brought</th>
              <th scope="col">end</th>
              <th scope="col">when</th>
            </tr>
          </thead>
          <tbody>
            {recent.map((one) => (
              <tr key={one.id}>
                <td>
                  <Release name={one.release} />
                </td>
                <td>{one.merges.map(({ title }) => title).join('; ')}</td>
                <td>
                  <Outcome of={one.stage} /> <span class="hint">{whyEnded(one)}</span>
                </td>
                <td>{one.finishedAt && <At at={one.finishedAt} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function whyEnded({ stage, by, reason, failure, carriedBy, approval }: Promotion): string {
  if (stage === 'promoted') return approval ? `approved by ${approval.by}` : '';
  if (stage === 'superseded' && carriedBy) return `carried by ${short(carriedBy.split('.')[1] ?? carriedBy)}`;
  return [by && `by ${by}`, reason ?? failure?.message].filter(Boolean).join(': ');
}
