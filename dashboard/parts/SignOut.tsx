import { useState } from 'preact/hooks';
import { ask } from '../live/api.js';

export function SignOut({ csrf }: { csrf: string }) {
  const [failed, setFailed] = useState(false);
  const leave = (): void => {
    // A whole new page: nothing of what was seen stays.
    void ask('/auth/logout', { method: 'POST', body: {}, csrf }).then(
      () => location.assign('/'),
      () => setFailed(true),
    );
  };
  return (
    <button type="button" class="quiet" onClick={leave}>
      {failed ? 'Sign out (try again)' : 'Sign out'}
    </button>
  );
}
