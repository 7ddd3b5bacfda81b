import { describe } from 'vitest';
import { ecrContract } from './ecr.contract.js';
import { ecsContract } from './ecs.contract.js';
import { standIn } from './emulators.js';

describe('the stand-in’s ECS', () => ecsContract(standIn));
describe('the stand-in’s ECR', () => ecrContract(standIn));
