import { describe, expect, it } from 'vitest';
import { planLines } from '../../cli/render-plan.js';
import { emptyPlan, refusedPlan } from '../../domain/plan.js';

const request = { kind: 'deploy', app: 'api', environment: 'staging', tag: 'a'.repeat(40) } as const;
const plan = {
  ...emptyPlan(request),
  release: 'a'.repeat(40),
  before: 'b'.repeat(40),
  commits: [{ sha: 'a'.repeat(40), title: 'Mend it', author: 'sara' }],
  commitCount: 30,
  images: [{ container: 'django', before: 'r/api:1', after: 'r/api:2' }],
  variables: { added: ['NEW'], removed: [], changed: [] },
  warnings: [{ code: 'NO_ROLLBACK', message: 'no breaker' }],
};

describe('a plan as text', () => {
  it('says what would change', () => {
    expect(planLines(plan)).toEqual([
      'would deploy api → staging @ aaaaaaa',
      '  release      bbbbbbb → aaaaaaa',
      '  30 commits brought:',
      '    aaaaaaa Mend it (sara)',
      '    and 29 more',
      '  django: r/api:1 → r/api:2',
      '  variables +NEW',
      '  warning NO_ROLLBACK: no breaker',
    ]);
    expect(planLines({ ...plan, back: true })).toContain('  30 commits taken out:');
  });

  it('says why it would be refused, and what to do', () => {
    const refused = refusedPlan(emptyPlan(request), 'validate', 'TAG_NOT_FOUND', 'api has no tag x');
    expect(planLines(refused)).toEqual([
      'would deploy api → staging @ aaaaaaa',
      '✗ it would be refused at validate: api has no tag x (TAG_NOT_FOUND)',
      '  what to do   name another tag, or build it first (the person asking)',
    ]);
  });

  it('lets nothing that others wrote steer the terminal', () => {
    const [, , , line] = planLines({
      ...plan,
      commits: [{ sha: 'a'.repeat(40), title: 'x\u001b[2J\ny' }],
    });
    expect(line).not.toContain('\u001b');
    expect(line).not.toContain('\n');
  });
});
