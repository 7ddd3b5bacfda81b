import { usePlace } from '../live/router.js';

/** Back to this very page afterwards. */
export function SignIn({ look = '', children = 'Sign in' }: { look?: string; children?: string }) {
  const { path, query } = usePlace();
  const here = query.size > 0 ? `${path}?${query}` : path;
  return (
    <a class={`button ${look}`} href={`/auth/login?to=${encodeURIComponent(here)}`}>
      {children}
    </a>
  );
}
