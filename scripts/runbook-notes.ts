/** What the table of codes has no room for: what to look at, and how one gets out. Kept by hand, by code. */
import type { Code } from '../domain/codes.js';

export const NOTES: Partial<Record<Code, string>> = {
  NOT_A_MAINTAINER: `Membership of the GitHub team in \`maintainers\` (sluice.yaml) counts, as an active member; an
invitation that was not accepted does not. It is asked again, afresh, before the first write to AWS: who was removed
meanwhile is told so there. \`sluice doctor\` tells whether the team can be read.`,
  KEY_REUSED: `A key belongs to one body, per person and route, for 24 hours. Scripts: make a new key for a new
request, and send the same key only to repeat the same one.`,
  LOCKED: `Who locked it, when and why stand beside the lock: \`sluice status\`, \`sluice promote status\`. Running
deployments end; none starts. A rollback passes a lane's lock with \`--override\` and a reason. A rollback of
production locks the promotion queue itself: lift it when the cause is mended.`,
  LANE_BUSY: `One deployment at a time touches a service. \`sluice watch <id>\` of the one that runs tells what it does;
\`sluice stop <id>\` goes back to what ran before. A rollback with \`--now\` does that in one step.`,
  FOREIGN_DEPLOYMENT: `Somebody deploys past Sluice: Terraform, the console, another pipeline. Sluice waits until that
rollout has settled and then goes on from there. CloudTrail (\`UpdateService\`) tells who it was.`,
  NO_WORKER: `\`sluice doctor\` counts who polls each queue. Is a worker running, on this namespace
(\`TEMPORAL_NAMESPACE\`)? With versioned workers: is its version the current one (\`temporal worker deployment
describe --name sluice\`)? What was accepted is not lost: it goes on when a worker comes.`,
  NO_BUILD_WORKER: `Builds wait for a process \`npm run worker -- --builds\` whose Docker answers. Its log says at the
start when it does not. Everything else goes on; a rollback builds nothing.`,
  TEMPORAL_DOWN: `Nothing is lost: send it again with the same \`Idempotency-Key\`. \`sluice doctor\` tells whether it is
the address, the namespace or the key. Workers and API connect again by themselves. ECS goes on with what it was told;
the verdict follows when Temporal is back.`,
  TOO_LATE: `Temporal answers and no worker did in three seconds: workers are too few or too busy
(\`temporal_activity_schedule_to_start_latency_seconds\`, \`temporal_worker_task_slots_available\`).`,
  GITHUB_DOWN: `githubstatus.com; the API's rate limit. Answers up to a day old still count for who is a maintainer.
Beyond that there is \`SLUICE_EMERGENCY_TOKEN\`, whose every use is told to everyone.`,
  GITHUB_REFUSED: `Sluice's own token or App: expired, suspended, or lacking what the message names.
\`sluice doctor\` lists the permissions; docs/github.md has them all. It goes on by itself within a minute.`,
  GITHUB_FAILED: `GitHub's own words are in the message: a rule of the branch or of tags, a label that may not be set.
Mend that, then \`sluice release retry\`.`,
  AWS_DOWN: `Throttling, an outage, or credentials that ran out: the message says which, with the operation. The watch
only becomes slower. \`sluice_aws_calls_total{result="throttled"}\`; \`limits.callsPerSecond\` bounds what one worker asks.`,
  AWS_REFUSED: `A permission is missing, or a value is wrong: AWS's own words, scrubbed, are in the message.
\`sluice doctor\` tries every read and names those that are denied; the policy is in docs/setup.md. After a change of policy: \`sluice retry\`.`,
  REGISTRY_DOWN: `ECR's status, the worker's way to it (VPC endpoints \`ecr.api\`, \`ecr.dkr\`, S3), and its credentials.`,
  SLACK_DOWN: 'Deployments do not wait for it; what could not be told is told later, for up to a day.',
  SLACK_REFUSED: 'docs/slack.md lists what Slack says and what to do about each.',
  APPROVAL: `Tests have passed on staging. \`sluice promote approve <app>\`, or the button: it shows before what will
happen. What is approved is exactly what was tested; where staging has moved since, the approval is refused.`,
  TESTS_INCONCLUSIVE: `Cancelled, timed out, or staging changed meanwhile: neither passed nor failed, in every attempt.
Look at the run (its link stands beside it), then retry or reject.`,
  TESTS_AWAITED: `\`POST /api/promotions/{app}/tests\` by a maintainer, or signed with \`TESTS_WEBHOOK_SECRET\`. Did the
CI job run? \`sluice_webhooks_total\` counts refused ones.`,
  ENVIRONMENTS_DIFFER: `Also on first use, and after somebody deployed to one environment alone. \`adopt\`: test what
staging runs and go on with it. \`restore-staging\`: production's images go back to staging. \`override\`: the next one
starts once all the same.`,
  VERSION_UNKNOWN: `The version endpoint answers without a \`release\`, or not at all, and ECS does not report digests.
\`curl\` it from where Sluice runs; it is read again by itself.`,
  STAGING_MOVED: `What was tested does not run there any more: somebody deployed, rolled back or redeployed. Its tests
prove nothing for what runs now.`,
  PRODUCTION_MOVED: `Production runs a commit that this release does not contain: approving would take it away again.
Usually a hotfix that was not merged.`,
  PRODUCTION_ROLLED_BACK: `The rollback locked the queue and marked the release bad. When the cause is mended and
merged: unlock. Staging still runs the bad release until a newer one, or restore-staging, replaces it.`,
  NOT_ON_BRANCH: `GitHub serves any fork's commit by its SHA; only commits of the configured branch are built. Was it
squashed or rebased at the merge? Then its SHA is another one.`,
  TAG_NOT_FOUND: `The message names repository and tag. Lifecycle rules of ECR remove images: keep \`rel-*\` and the
tags that environments run. An app with two images needs the tag in both.`,
  NO_ROLLBACK_TARGET: `Nothing that was verified there is left in the lane's last fifty, or all of it is marked bad.
\`GET /api/targets/{environment}/{app}\` lists what can be named.`,
  RELEASE_BAD: `Rolled back from, or marked by a person: the mark says by whom and why, holds for both environments, and
is never removed. \`--override\` with a reason deploys it all the same.`,
  UNSUPPORTED_STRATEGY: `Sluice rolls out services of the ECS controller with ROLLING (or no) strategy. CodeDeploy's
blue/green, external controllers, and ECS's own BLUE_GREEN, LINEAR and CANARY are not its.`,
  BUILD_FAILED: `The last lines are in the dossier, for maintainers. Nothing was deployed. What is not the commit's
fault (disk full, a base image that cannot be pulled) is worth a \`sluice retry\`.`,
  CLONE_FAILED: `From a build worker: \`git ls-remote\` of \`repository.cloneUrl\`. HTTPS clones use the server's own
GitHub credentials, which need Contents: read.`,
  TEMPLATE_NOT_FOUND: `Register the family that the message names (docs/setup.md), or set \`template\`. Only ACTIVE
revisions count: was it deregistered?`,
  CONTAINER_MISSING: `The names of \`images[].container\` in sluice.yaml and of the template's containers differ; the
message names both. Nothing was registered.`,
  SERVICE_GONE: `Deleted, or draining, or another cluster or region: \`aws ecs describe-services\` with what sluice.yaml
says. Was the environment's \`roleArn\` changed to another account?`,
  TAG_CONFLICT: `Somebody else made that tag, on other images or another commit. Sluice moves no tag of others: remove
it, or abandon the release and release again, which makes a new date.`,
  DEPLOYMENT_FAILED: `The release's deployment says why; nothing was published. \`retry\` goes on with the same tag and
date, \`abandon\` ends it and says what exists.`,
  ROLLED_BACK: `The circuit breaker: new tasks did not stay up. The dossier has the stopped tasks grouped by reason with
exit codes, ECS's events, and last lines as far as reachable. Exit code 137: out of memory. \`CannotPullContainer\`: the
image or the execution role. Health checks failed: its port, path, grace period. What ran before runs on.`,
  ROLLBACK_FAILED: `Now, by hand: \`aws ecs describe-services\`; what is PRIMARY, do its tasks run? Usual causes: the old
image was removed from ECR, a secret that the old revision names is gone, no room in the cluster. Then deploy a tag
that works: \`sluice deploy\` or \`sluice rollback --now\`.`,
  TASKS_FAILED: `ECS goes on trying for ever. \`sluice stop <id>\` goes back. Then switch the circuit breaker with
rollback on: \`aws ecs update-service --deployment-configuration
"deploymentCircuitBreaker={enable=true,rollback=true}"\`.`,
  SUPERSEDED: `Somebody's deployment came in its place: another of Sluice's (linked), or one from outside. What runs is
what counts: \`sluice status\`.`,
  RELEASE_MISMATCH: `The right images run, and the endpoint says another release. Was the release built in
(\`SEMANTIC_VERSION\`)? Does a cache or an old load balancer answer? The service was left as it is.`,
  DIGEST_MISMATCH: `Tasks run another image than the tag names: was the tag moved in between, is there a sidecar with the
same container name? The service was left as it is.`,
  NO_ANSWER: `From where the workers run: \`curl versionUrl\`. Security groups, DNS, certificates. The service itself may
be well; it was left as it is.`,
  TIMED_OUT: `An hour and not settled; the message says what ECS does now. Usual: no room for new tasks (memory, ports,
\`maximumPercent\`), old tasks that do not drain, health checks slower than their grace period. \`sluice stop\` is over; a
rollback or another deployment takes its place.`,
  STOPPED: 'Who and why stand in the message; what ran before runs again.',
  NO_WAY_BACK: `There was no revision that ever completed, so nothing was there to go back to; the message says what
runs. Deploy a tag that works.`,
  TERMINATED: `Somebody terminated its workflow in Temporal: no code ran any more, and the service is as it was at that
moment. The lane noticed within a minute and went on.`,
  INTERNAL: `The worker's log has it, with the workflow's id, without secrets. Where a workflow stands still (its task
fails again and again, \`temporal_workflow_task_execution_failed_total\`): go back to the workers of the release before,
see docs/upgrade.md. Nothing is lost: it goes on where it stood.`,
};
