import { usePlace } from '../live/router.js';
import { useStore } from '../live/store.js';

const NO_SIGN_IN =
  'Signing in with GitHub is not set up here (docs/setup.md says how). Until then: sluice in a terminal.';

/** Back to this very page afterwards; where browsers cannot sign in, it says so. */
export function SignIn({ look = '', children = 'Sign in' }: { look?: string; children?: string }) {
  const { path, query } = usePlace();
  const cannot = useStore((state) => state.canSignIn === false);
  if (cannot) return <em>{look === 'quiet' ? 'Signing in is not set up here' : NO_SIGN_IN}</em>;
  const here = query.size > 0 ? `${path}?${query}` : path;
  return (
    <a class={`button ${look}`} href={`/auth/login?to=${encodeURIComponent(here)}`}>
      {children}
    </a>
  );
}
