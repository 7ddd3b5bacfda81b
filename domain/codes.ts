/**
 * The closed list of codes: why a request is refused, a deployment failed, or something waits. The API's
 * errors, the CLI's words, OpenAPI and the runbook all come from this table.
 */

export interface CodeEntry {
  /** HTTP status where the API answers with this code; absent: it never stands in an error response. */
  http?: number;
  /** Plain words, no full stop. */
  text: string;
  /** Who can end it. */
  who: string;
  /** What they can do. */
  actions: readonly string[];
}

const entry = (text: string, who: string, actions: readonly string[], http?: number): CodeEntry =>
  http === undefined ? { text, who, actions } : { http, text, who, actions };

const ASKER = 'the person asking';
const MAINTAINERS = 'a maintainer';
const OPERATORS = 'who runs Sluice';
const NOBODY = 'nobody: it ends by itself';

export const CODES = {
  // Refusals of a request
  BAD_REQUEST: entry('the request is not of the right form', ASKER, ['correct it and send it again'], 400),
  UNAUTHENTICATED: entry('it is not known who asks', ASKER, ['send a GitHub token'], 401),
  NOT_A_MAINTAINER: entry('only maintainers may do this', 'the team’s owners', ['join the GitHub team'], 403),
  FORGED: entry(
    'a browser asks for it from a page that is not Sluice’s own',
    ASKER,
    ['load the page again', 'send a GitHub token'],
    403,
  ),
  NOT_FOUND: entry('there is no such thing', ASKER, ['look at what there is'], 404),
  KEY_REUSED: entry(
    'the same Idempotency-Key came with another request',
    ASKER,
    ['use a new key for a new request'],
    409,
  ),
  FINISHED: entry('it has ended already', ASKER, ['retry it'], 409),
  NOT_FINISHED: entry('it has not ended yet', ASKER, ['wait for it', 'stop it'], 409),
  NOT_LOCKED: entry('it is not locked', ASKER, [], 409),
  RELEASE_BAD: entry(
    'this release is marked bad',
    MAINTAINERS,
    ['choose another one', 'override it, with a reason'],
    409,
  ),
  ALREADY_RELEASED: entry(
    'this image was released before',
    ASKER,
    ['look at the first release', 'release it once more: again'],
    409,
  ),
  OWNED: entry(
    'it belongs to something that is tried again as a whole',
    ASKER,
    ['retry what it belongs to'],
    409,
  ),
  NOT_BLOCKED: entry('it is not blocked', ASKER, ['look at how it stands'], 409),
  NOT_UNLOCKED: entry(
    'it is not unlocked for production',
    ASKER,
    ['look at what it waits for: sluice promote status'],
    409,
  ),
  NOT_FAILED: entry('there is nothing to retry', ASKER, ['look at how it stands'], 409),
  NOT_WAITING: entry('the queue does not wait for that', ASKER, ['look at how it stands'], 409),
  PRODUCTION_MOVED: entry(
    'production runs something that this release does not contain',
    MAINTAINERS,
    ['merge what production runs', 'reject it', 'override it, with a reason'],
    409,
  ),
  STAGING_MOVED: entry(
    'staging does not run any more what was tested',
    MAINTAINERS,
    ['retry: deploy it to staging and test again', 'reject it', 'resolve: adopt what staging runs'],
    409,
  ),
  TOO_LARGE: entry('the request is too large', ASKER, ['send less'], 413),
  NOT_JSON: entry('the body is not JSON', ASKER, ['send it as application/json'], 415),
  TOO_LATE: entry(
    'the answer did not come in time',
    ASKER,
    ['send it again with the same Idempotency-Key'],
    503,
  ),

  // Waits; some are refusals too
  LOCKED: entry('a person has locked it', MAINTAINERS, ['unlock'], 409),
  LANE_BUSY: entry('another deployment of this service runs', MAINTAINERS, ['wait', 'stop the other one']),
  FOREIGN_DEPLOYMENT: entry('a deployment that Sluice did not start is in progress', 'who started it', [
    'wait until it has settled',
    'stop this one',
  ]),
  BUILDING: entry('its images are being built', NOBODY, ['stop']),
  NO_WORKER: entry('no worker takes the work', OPERATORS, ['start a worker: npm run worker'], 503),
  NO_BUILD_WORKER: entry('no build worker takes the build', OPERATORS, [
    'start one: npm run worker -- --builds',
  ]),
  GITHUB_DOWN: entry('GitHub does not answer', NOBODY, ['wait: it is asked again'], 503),
  GITHUB_REFUSED: entry(
    'GitHub refuses Sluice’s own credentials',
    OPERATORS,
    ['set a valid GITHUB_TOKEN'],
    503,
  ),
  GITHUB_FAILED: entry('GitHub does not do what Sluice asked for', OPERATORS, ['read the message', 'retry']),
  SLACK_DOWN: entry('Slack does not answer', NOBODY, ['wait: it is asked again']),
  SLACK_REFUSED: entry('Slack does not do what Sluice asked for', OPERATORS, ['read the message']),
  AWS_DOWN: entry('AWS does not answer, or throttles', NOBODY, ['wait: it is asked again'], 503),
  REGISTRY_DOWN: entry('the image registry does not answer', NOBODY, ['wait: it is asked again'], 503),
  APPROVAL: entry('a maintainer has to approve it for production', MAINTAINERS, ['approve', 'reject'], 409),
  TESTS_RUNNING: entry('its tests run', NOBODY, ['wait', 'reject'], 409),
  TESTS_AWAITED: entry('a report of its tests is waited for', 'who runs the tests', [
    'report them',
    'reject',
  ]),
  TESTS_INCONCLUSIVE: entry('its tests told nothing', MAINTAINERS, ['retry', 'reject'], 409),
  ENVIRONMENTS_DIFFER: entry(
    'staging and production run different releases',
    MAINTAINERS,
    [
      'resolve: adopt what staging runs',
      'resolve: restore staging to what production runs',
      'resolve: override, let the next one start',
    ],
    409,
  ),
  VERSION_UNKNOWN: entry(
    'which release runs is not known',
    MAINTAINERS,
    ['mend the version endpoint', 'resolve: override, let the next one start'],
    503,
  ),
  PRODUCTION_ROLLED_BACK: entry(
    'production was rolled back',
    MAINTAINERS,
    ['unlock', 'resolve: restore staging to what production runs'],
    409,
  ),
  PROMOTION_RUNNING: entry('another promotion is under way', NOBODY, ['wait'], 409),
  RESTORING: entry('staging is being restored', NOBODY, ['wait'], 409),
  TEMPORAL_DOWN: entry('Temporal does not answer', OPERATORS, ['start Temporal, then send it again'], 503),

  // Why a deployment was rejected
  NOT_ON_BRANCH: entry('the commit is not on the configured branch', ASKER, [
    'merge it',
    'name another commit',
  ]),
  TAG_NOT_FOUND: entry(
    'an image of the set has no such tag',
    ASKER,
    ['name another tag', 'build it first'],
    409,
  ),
  NO_ROLLBACK_TARGET: entry('there is no verified release to roll back to', ASKER, ['name a tag']),
  RELEASE_UNKNOWN: entry('which release runs is not known', ASKER, ['pass a tag']),
  UNSUPPORTED_STRATEGY: entry('the service is not one that Sluice can roll out', OPERATORS, [
    'use the ECS controller with the ROLLING strategy',
  ]),

  // Why a deployment failed
  BUILD_FAILED: entry('the build failed', 'the author of the commit', ['mend it and merge', 'retry']),
  CLONE_FAILED: entry('the source could not be fetched', OPERATORS, [
    'check repository and cloneUrl',
    'retry',
  ]),
  TEMPLATE_NOT_FOUND: entry('the template task definition does not exist', OPERATORS, [
    'register it, or set its name in sluice.yaml',
  ]),
  CONTAINER_MISSING: entry('the template lacks a configured container', OPERATORS, [
    'mend the template or sluice.yaml',
  ]),
  SERVICE_GONE: entry(
    'the service does not exist or is not active',
    OPERATORS,
    ['create it', 'mend sluice.yaml'],
    503,
  ),
  AWS_REFUSED: entry('AWS refused the request', OPERATORS, ['read the message', 'check permissions'], 503),
  TAG_CONFLICT: entry('the release’s tag, in ECR or at GitHub, is on something else', OPERATORS, [
    'remove that tag, then retry',
    'abandon, and release again',
  ]),
  DEPLOYMENT_FAILED: entry('the release’s deployment did not succeed', MAINTAINERS, [
    'look at the deployment',
    'retry',
    'abandon',
  ]),
  ROLLED_BACK: entry('ECS rolled back to the previous revision', MAINTAINERS, ['read the dossier', 'retry']),
  ROLLBACK_FAILED: entry('ECS tried to roll back and failed', MAINTAINERS, [
    'look at the service in ECS now',
  ]),
  TASKS_FAILED: entry('its tasks do not stay up, and ECS does not roll back', MAINTAINERS, [
    'stop it',
    'switch the circuit breaker’s rollback on',
  ]),
  SUPERSEDED: entry('another deployment replaced it', MAINTAINERS, ['look at what runs']),
  RELEASE_MISMATCH: entry('the version endpoint reports another release', MAINTAINERS, [
    'look at the service',
  ]),
  TESTS_FAILED: entry('its tests failed', 'the author of the change', ['mend it and merge', 'retry']),
  DIGEST_MISMATCH: entry('tasks run other images than were deployed', MAINTAINERS, ['look at the service']),
  NO_ANSWER: entry('the version endpoint does not answer', MAINTAINERS, ['look at the service']),
  TIMED_OUT: entry('it did not settle within the hard limit', MAINTAINERS, ['look at the service', 'retry']),
  STOPPED: entry('a person stopped it', MAINTAINERS, ['retry']),
  NO_WAY_BACK: entry('there is nothing to go back to', MAINTAINERS, ['deploy a tag that works']),
  TERMINATED: entry('its workflow was terminated in Temporal', OPERATORS, ['look at the service', 'retry']),
  INTERNAL: entry('an error inside Sluice', OPERATORS, ['read the logs', 'retry'], 500),
} as const satisfies Record<string, CodeEntry>;

export type Code = keyof typeof CODES;

/** A deployment that fails with one of these is `rejected`: nothing was written anywhere. */
export const REJECTIONS: readonly Code[] = [
  'NOT_A_MAINTAINER',
  'NOT_ON_BRANCH',
  'TAG_NOT_FOUND',
  'UNSUPPORTED_STRATEGY',
  'RELEASE_BAD',
  'NO_ROLLBACK_TARGET',
  'RELEASE_UNKNOWN',
];

export const isCode = (text: unknown): text is Code => typeof text === 'string' && Object.hasOwn(CODES, text);
