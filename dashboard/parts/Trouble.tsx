/** What went wrong, in plain words, and what can be done about it. */
import type { Problem } from '../live/api.js';
import { capital, either, stopped } from '../model/words.js';

export function Trouble({ problem }: { problem: Problem }) {
  return (
    <div class="trouble" role="alert">
      <p>{stopped(capital(problem.message))}</p>
      {problem.actions.length > 0 && <p class="hint">What can be done: {either(problem.actions)}.</p>}
    </div>
  );
}
