/** Addresses within the page: `history` and a list of patterns. */
import { useEffect, useState } from 'preact/hooks';

const listeners = new Set<() => void>();

export interface Place {
  path: string;
  query: URLSearchParams;
}

const here = (): Place => ({
  path: location.pathname,
  query: new URLSearchParams(location.search),
});

function changed(): void {
  for (const listener of [...listeners]) listener();
}

export function go(to: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  if (!replace) window.scrollTo(0, 0);
  changed();
}

export function usePlace(): Place {
  const [place, set] = useState(here);
  useEffect(() => {
    const listener = (): void => set(here());
    listeners.add(listener);
    window.addEventListener('popstate', listener);
    return () => {
      listeners.delete(listener);
      window.removeEventListener('popstate', listener);
    };
  }, []);
  return place;
}

/** Links within the page change it without loading it anew; new tabs and other sites stay the browser's. */
export function catchLinks(): void {
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const href = link?.getAttribute('href');
    if (!link || !href?.startsWith('/') || link.target || isServers(href)) return;
    event.preventDefault();
    go(href);
  });
}

const isServers = (href: string): boolean => /^\/(api|auth|docs)(\/|$)|\.json$/.test(href);
