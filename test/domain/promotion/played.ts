/** A promotion queue whose world is played by hand, step by step: two environments, a branch, two lanes. */
import type { Outcome } from '../../../domain/deployment.js';
import type { Code } from '../../../domain/codes.js';
import type { BadMark } from '../../../domain/messages.js';
import { approve } from '../../../domain/promotion/approve.js';
import * as commands from '../../../domain/promotion/commands.js';
import type { Unmet } from '../../../domain/promotion/conditions.js';
import { decide } from '../../../domain/promotion/decide.js';
import * as events from '../../../domain/promotion/events.js';
import type {
  EnvironmentRead,
  Observation,
  OwnDeployment,
  QueueSettings,
} from '../../../domain/promotion/read.js';
import { resolve } from '../../../domain/promotion/resolve.js';
import { retry } from '../../../domain/promotion/retry.js';
import type { Draft, Effect, PromotionState, QueueDeployment } from '../../../domain/promotion/state.js';
import { change, emptyQueue, viewOf } from '../../../domain/promotion/state.js';
import type { Merge, Promotion, Resolution, Stage, TestState } from '../../../domain/promotion/promotion.js';

export const START = '2026-03-01T10:00:00.000Z';
const MINUTE = 60_000;

/** On the branch, in this order; `LIVE` runs everywhere at first. */
export const [LIVE, A, B, C] = ['0', 'a', 'b', 'c'].map((one) => one.repeat(40)) as [
  string,
  string,
  string,
  string,
];
/** Not on the branch. */
export const FOREIGN = 'f'.repeat(40);

const SETTINGS: QueueSettings = {
  policy: { queue: 'latest', approval: 'required' },
  tests: { kind: 'github', attempts: 2, timeoutMs: 30 * MINUTE },
  remindAfterMs: 60 * MINUTE,
  escalateAfterMs: 240 * MINUTE,
  limits: { tellAfterMs: 1, giveUpAfterMs: 2, verifyMs: 3 },
};

export const digestsOf = (release: string): Record<string, string> => ({ image: `sha256:${release}` });

export class Played {
  q: PromotionState = emptyQueue('api');
  now = START;
  branch = [LIVE, A, B, C];
  bad: BadMark[] = [];
  lanes: Observation['lanes'] = { staging: [], production: [] };
  isSourceAway = false;
  missing: string | undefined;
  /** What a read tells of the queue's own deployment; absent: reads do not tell. */
  own?: () => OwnDeployment;
  staging: EnvironmentRead = runsNow(LIVE, 's0');
  production: EnvironmentRead = runsNow(LIVE, 'p0');
  settings: QueueSettings;
  private did: Effect[] = [];
  private deployments = 0;

  constructor(settings: Partial<QueueSettings> = {}) {
    this.settings = { ...SETTINGS, ...settings };
  }

  get current(): Promotion | undefined {
    return this.q.current;
  }

  /** Stage of a release's latest promotion. */
  stage(release: string): Stage | undefined {
    return this.find(release)?.stage;
  }

  find(release: string): Promotion | undefined {
    const { current, waiting, recent } = this.q;
    return [current, ...waiting, ...recent].find((one) => one?.release === release);
  }

  /** Code of what the queue as a whole waits for. */
  get waits(): Code | undefined {
    return viewOf(this.q).waitingFor?.code;
  }

  /** What was wanted since this was last asked, without what people are told. */
  deeds(): Exclude<Effect, { do: 'tell' }>[] {
    const deeds = this.did.filter((one) => one.do !== 'tell');
    this.did = this.did.filter(({ do: what }) => what === 'tell');
    return deeds;
  }

  /** What people were told since this was last asked: change and release. */
  told(): [string, string][] {
    const told = this.did.flatMap((one): [string, string][] =>
      one.do === 'tell' ? [[one.news.change, one.news.promotion.release]] : [],
    );
    this.did = this.did.filter(({ do: what }) => what !== 'tell');
    return told;
  }

  /** The only deployment that was wanted since this was last asked. */
  deployed(): QueueDeployment {
    const found = this.deeds().flatMap((one) => (one.do === 'deploy' ? [one.deployment] : []));
    if (found.length !== 1 || !found[0]) throw new Error(`${found.length} deployments were wanted`);
    return found[0];
  }

  step<T>(work: (draft: Draft) => T): T {
    let answer: T | undefined;
    const { state, effects } = change(this.q, this.now, (draft) => {
      answer = work(draft);
    });
    this.q = state;
    this.did.push(...effects);
    return answer as T;
  }

  later(ms: number): this {
    this.now = new Date(Date.parse(this.now) + ms).toISOString();
    return this;
  }

  observation(): Observation {
    const { staging, production, lanes, bad, settings, missing, branch } = this;
    const contains = [...branch, FOREIGN].map((one) => [
      one,
      branch.includes(one) ? branch.slice(0, branch.indexOf(one) + 1) : [one],
    ]);
    return {
      ...{ epoch: this.q.epoch, settings, staging, production, lanes, bad },
      ...(missing === undefined ? {} : { missing }),
      ...(this.own ? { own: this.own() } : {}),
      ...(this.isSourceAway
        ? {}
        : {
            relations: {
              head: branch.at(-1) ?? '',
              positions: Object.fromEntries(branch.map((one, at) => [one, at + 1])),
              contains: Object.fromEntries(contains) as Record<string, string[]>,
            },
          }),
    };
  }

  look(): this {
    const counts = this.step((draft) => decide(draft, this.observation()));
    if (!counts) throw new Error('a read that began just now counts');
    return this;
  }

  merges(...releases: string[]): this {
    const merges = releases.map((release) => this.mergeOf(release));
    this.step((draft) => events.mergesCame(draft, { head: this.branch.at(-1) ?? '', merges }));
    return this;
  }

  mergeOf(sha: string): Merge {
    const position = this.branch.indexOf(sha) + 1;
    return { sha, title: `Change ${sha[0]}`, author: 'ann', mergedBy: 'alice', position };
  }

  /** Something else than the queue brings a release there. */
  runs(environment: 'staging' | 'production', release: string): this {
    this.deployments += 1;
    this[environment] = runsNow(release, `${environment}-${this.deployments}`);
    return this;
  }

  /** The deployment to the stage that is under way ends. */
  ends(outcome: Outcome, code?: Code, environment = this.current?.stage): this {
    const { current } = this;
    const id = environment === 'production' ? current?.production : current?.staging;
    if (!current || !id) throw new Error('nothing is deployed');
    if (outcome === 'succeeded')
      this.runs(environment === 'production' ? 'production' : 'staging', current.release);
    const digests = outcome === 'succeeded' ? { digests: digestsOf(current.release) } : {};
    const failure = code ? { failure: { step: 'validate' as const, code, message: `for ${code}` } } : {};
    this.step((draft) =>
      events.deploymentEnded(draft, { id, outcome, verified: true, ...digests, ...failure }),
    );
    return this;
  }

  /** The attempt that runs ends. */
  tests(state: Exclude<TestState, 'running'>, detail: string = state): this {
    const { current } = this;
    const attempt = current?.tests?.attempt ?? 0;
    this.step((draft) =>
      events.testsEnded(draft, {
        promotion: current?.id ?? '',
        attempt,
        state,
        detail,
        url: `run/${attempt}`,
      }),
    );
    return this;
  }

  approve(release: string, more: { override?: boolean; reason?: string } = {}): Unmet | undefined {
    return this.step((draft) => approve(draft, { ...BOB, release, ...more }, this.observation()));
  }

  reject(release: string, reason = 'no'): void {
    this.step((draft) => commands.reject(draft, { ...BOB, release, reason }));
  }

  retry(release: string, more: { override?: boolean; reason?: string } = {}): Unmet | undefined {
    return this.step((draft) => retry(draft, { ...BOB, release, ...more }, this.observation()));
  }

  resolve(choice: Resolution): Unmet | undefined {
    return this.step((draft) => resolve(draft, { ...BOB, choice, reason: 'because' }, this.observation()));
  }

  lock(code?: Code): this {
    const command = { ...BOB, reason: 'conference', ...(code ? { code } : {}) };
    this.step((draft) => void commands.joinLock(draft, command));
    return this;
  }

  unlock(): this {
    this.step(commands.unlock);
    return this;
  }

  /** Goes on as it does when all goes well, until the promotion of the newest merge is in this stage. */
  until(stage: Stage): this {
    this.look();
    if (stage === 'staging') return this;
    this.ends('succeeded').look();
    if (stage === 'testing') return this;
    if (this.current?.stage === 'testing') this.tests('passed').look();
    if (stage === 'awaiting-approval') return this;
    const refused = this.approve(this.current?.release ?? '');
    if (refused) throw new Error(`${refused.code}: ${refused.message}`);
    if (stage === 'production') return this;
    return this.ends('succeeded').look();
  }
}

export const BOB = { by: 'bob', key: 'k' };

export const runsNow = (release: string, primary: string): EnvironmentRead => ({
  release,
  primary,
  digests: digestsOf(release),
  tag: release,
});
