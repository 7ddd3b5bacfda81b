import { describe, expect, it } from 'vitest';
import { groupStopped } from '../../domain/dossier.js';
import type { StoppedTask } from '../../domain/dossier.js';

const task = (n: number, change: Partial<StoppedTask> = {}): StoppedTask => ({
  arn: `arn:task/${n}`,
  revision: 'arn:task-definition/api:8',
  reason: 'Essential container in task exited',
  containers: [{ name: 'django', exitCode: 3 }],
  ...change,
});

describe('groupStopped', () => {
  it('groups by reason and exit codes, largest first, with at most three examples', () => {
    const pull = { reason: 'CannotPullContainerError: not found', containers: [{ name: 'django' }] };
    expect(groupStopped([task(9, pull), task(1), task(2), task(3), task(4)])).toEqual([
      {
        reason: 'Essential container in task exited',
        count: 4,
        exitCodes: { django: 3 },
        examples: ['arn:task/1', 'arn:task/2', 'arn:task/3'],
      },
      { reason: 'CannotPullContainerError: not found', count: 1, exitCodes: {}, examples: ['arn:task/9'] },
    ]);
  });

  it('keeps different exit codes apart, 0 too', () => {
    const clean = { containers: [{ name: 'django', exitCode: 0 }] };
    expect(groupStopped([task(1), task(2, clean)]).map(({ exitCodes }) => exitCodes)).toEqual([
      { django: 3 },
      { django: 0 },
    ]);
  });

  it('does not take an id within a reason for another reason', () => {
    const because = (id: string): Partial<StoppedTask> => ({
      reason: `Task failed ELB health checks in (target-group arn:aws:elb:1:targetgroup/x/${id})`,
      containers: [],
    });
    const groups = groupStopped([task(1, because('0123456789abcdef')), task(2, because('fedcba9876543210'))]);
    expect(groups).toMatchObject([{ count: 2 }]);
  });

  it('adds what the containers tell, once', () => {
    const [group] = groupStopped([
      task(1, {
        reason: 'CannotPullContainerError: x',
        containers: [
          { name: 'django', reason: 'CannotPullContainerError: x' },
          { name: 'nginx', reason: 'OutOfMemoryError' },
        ],
      }),
    ]);
    expect(group?.reason).toBe('CannotPullContainerError: x; nginx: OutOfMemoryError');
  });

  it('is bounded', () => {
    const many = Array.from({ length: 40 }, (_, n) =>
      task(n, { reason: `${'x'.repeat(n + 1)}`.padEnd(n * 30, 'y') }),
    );
    const groups = groupStopped(many);
    expect(groups).toHaveLength(10);
    for (const { reason } of groups) expect(reason.length).toBeLessThanOrEqual(300);
  });

  it('says so where ECS gives no reason', () => {
    expect(groupStopped([task(1, { reason: undefined })])[0]?.reason).toBe('no reason given');
  });
});
