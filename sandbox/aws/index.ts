export { REGISTRY_PASSWORD } from './ecr.js';
export { startAwsStandIn } from './server.js';
export type { AwsStandIn, AwsStandInOptions, Seed } from './server.js';
export type { Began, Control, ServiceInput, ServiceRef, Standing } from './control.js';
export type { Call } from './calls.js';
export type { FaultInput } from './faults.js';
export type { ImageInput, MadeImage } from './images.js';
export type { Behaviour, Timings } from './state.js';
