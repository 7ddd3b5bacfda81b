/** Which page stands at which address. The API serves these paths: `api/dashboard.ts`. */
import type { ComponentChildren } from 'preact';
import { Dialog } from './actions/Dialog.js';
import { usePlace } from './live/router.js';
import { useStore } from './live/store.js';
import { AppPage } from './pages/App.js';
import { DeploymentPage } from './pages/Deployment.js';
import { History } from './pages/History.js';
import { Home } from './pages/Home.js';
import { Locks } from './pages/Locks.js';
import { ReleasePage } from './pages/Release.js';
import { Releases } from './pages/Releases.js';
import { Shell } from './parts/Shell.js';
import { Refused } from './parts/Refused.js';

const PAGES: { path: RegExp; title: (id: string) => string; page: (id: string) => ComponentChildren }[] = [
  { path: /^\/$/, title: () => 'Road', page: () => <Home /> },
  { path: /^\/apps\/([^/]+)$/, title: (app) => app, page: (app) => <AppPage key={app} app={app} /> },
  { path: /^\/deployments\/([^/]+)$/, title: (id) => id, page: (id) => <DeploymentPage key={id} id={id} /> },
  { path: /^\/history$/, title: () => 'History', page: () => <History /> },
  { path: /^\/releases$/, title: () => 'Releases', page: () => <Releases /> },
  { path: /^\/releases\/([^/]+)$/, title: (id) => id, page: (id) => <ReleasePage key={id} id={id} /> },
  { path: /^\/locks$/, title: () => 'Locks', page: () => <Locks /> },
];

export function Page() {
  const { path } = usePlace();
  const connection = useStore((state) => state.connection);
  const found = PAGES.find((page) => page.path.test(path));
  const id = decodeURIComponent(found?.path.exec(path)?.[1] ?? '');
  const isRefused = connection.state === 'refused';
  return (
    <>
      <Shell title={found?.title(id) ?? 'Not found'}>
        {isRefused ? <Refused message={connection.message} /> : (found?.page(id) ?? <NotFound />)}
      </Shell>
      <Dialog />
    </>
  );
}

const NotFound = () => (
  <section class="empty">
    <h1>There is no such page</h1>
    <p>
      <a href="/">To the road</a>
    </p>
  </section>
);
