/** The same contract against an emulator that others wrote: it keeps the stand-in honest. */
import { describe } from 'vitest';
import { ecrContract } from '../contract/ecr.contract.js';
import { ecsContract } from '../contract/ecs.contract.js';
import { ministack } from '../contract/emulators.js';

describe('ministack’s ECS', () => ecsContract(ministack));
describe('ministack’s ECR', () => ecrContract(ministack));
