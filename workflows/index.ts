/** Every function exported here is a workflow type: nothing else may be. */
export { build } from './build.js';
export { deployment } from './deployment.js';
export { lane } from './lane.js';
export { notice } from './notice.js';
export { plan } from './plan.js';
export { rollback } from './rollback.js';
export { promotionQueue } from './promotion-queue.js';
export { tests } from './tests.js';
export { release } from './release.js';
export { releases } from './releases.js';
export { delivery } from './delivery.js';
export { driftNotice } from './drift-notice.js';
export { promotionNotice } from './promotion-notice.js';
export { reconcile } from './reconcile.js';
