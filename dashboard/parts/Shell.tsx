/** What stands around every page: where one can go, whether it is live, who one is. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { usePlace } from '../live/router.js';
import { useNow, useStore } from '../live/store.js';
import { durationOf } from '../model/words.js';
import { SignIn } from './SignIn.js';
import { SignOut } from './SignOut.js';

const PAGES = [
  { path: '/', name: 'Road' },
  { path: '/history', name: 'History' },
  { path: '/releases', name: 'Releases' },
  { path: '/locks', name: 'Locks' },
];

export function Shell({ title, children }: { title: string; children: ComponentChildren }) {
  const { path } = usePlace();
  const announcement = useStore((state) => state.announcement);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    document.title = title === 'Road' ? 'Sluice' : `${title} · Sluice`;
  }, [title]);
  useEffect(() => {
    // Who does not see hears which page came; at the first one the browser says it.
    if (!first.current) main.current?.focus();
    first.current = false;
  }, [path]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <a class="mark" href="/">
          <GateMark />
          Sluice
        </a>
        <nav aria-label="Pages">
          {PAGES.map(({ path: to, name }) => (
            <a key={to} href={to} aria-current={isIn(path, to) ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <ConnectionState />
        <Who />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
      <p class="visually-hidden" role="status">
        {announcement}
      </p>
    </>
  );
}

const isIn = (path: string, page: string): boolean =>
  page === '/'
    ? path === '/' || path.startsWith('/apps/')
    : path === page ||
      path.startsWith(`${page}/`) ||
      (page === '/history' && path.startsWith('/deployments/'));

const GateMark = () => (
  <svg class="gatemark" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M5 3v18M19 3v18" />
    <path class="leaf" d="M8 5h8v7H8z" />
    <path class="water" d="M1 17c2.500-2 4 2 7 0s5 2 8 0 4.500 2 7 0" />
  </svg>
);

function ConnectionState() {
  const connection = useStore((state) => state.connection);
  if (connection.state === 'lost') return <Lost since={connection.since} />;
  if (connection.state === 'refused') return <p class="connection off">not connected</p>;
  const isLive = connection.state === 'live';
  return (
    <p class={`connection ${isLive ? 'on' : ''}`} title="What you see changes by itself">
      {isLive ? 'live' : 'connecting …'}
    </p>
  );
}

function Lost({ since }: { since: number }) {
  const now = useNow();
  return (
    <p class="connection lost" role="alert">
      Connection lost, retrying{' '}
      <span aria-hidden="true">· what you see is {durationOf(now - since)} old</span>
    </p>
  );
}

function Who() {
  const me = useStore((state) => state.me);
  if (!me?.login) {
    return (
      <p class="who">
        <SignIn look="quiet" />
      </p>
    );
  }
  return (
    <p class="who">
      <span>
        {me.login}
        {!me.maintainer && <em> may look, not act</em>}
      </span>
      {me.csrf && <SignOut csrf={me.csrf} />}
    </p>
  );
}
