import { useStore } from '../live/store.js';
import { stopped } from '../model/words.js';
import { SignIn } from './SignIn.js';

/** Nobody is signed in, or who is may not read. */
export function Refused({ message }: { message: string }) {
  const login = useStore((state) => state.me?.login);
  return (
    <section class="empty">
      <h1>{login ? 'You may not look at this' : 'Sign in to look'}</h1>
      <p>
        {login
          ? stopped(message)
          : 'This Sluice shows itself only to people it knows. It asks GitHub who you are.'}
      </p>
      <p>{!login && <SignIn look="main">Sign in with GitHub</SignIn>}</p>
    </section>
  );
}
