/** Releases, people and links, as they stand everywhere. */
import { useStore } from '../live/store.js';
import { short } from '../model/words.js';

/** A commit, linked to the repository; any other tag as it is. */
export function Release({ name }: { name: string }) {
  const url = useStore(({ settings }) => settings?.repositoryUrl);
  const isCommit = /^[0-9a-f]{40}$/.test(name);
  if (!isCommit || !url) return <code title={name}>{short(name)}</code>;
  return (
    <a class="release" href={`${url}/commit/${name}`} rel="noreferrer" title={name}>
      <code>{short(name)}</code>
    </a>
  );
}

export function Out({ href, children }: { href: string | undefined; children: string }) {
  if (!href) return null;
  return (
    <a class="out" href={href} rel="noreferrer">
      {children}
    </a>
  );
}

export const deploymentPath = (id: string): string => `/deployments/${id}`;
export const releasePath = (id: string): string => `/releases/${id}`;
export const appPath = (app: string): string => `/apps/${app}`;

interface CommitProps {
  sha: string;
  title: string;
  author?: string;
  pullRequest?: number;
}

/** An item of a list of commits. */
export function Commit({ sha, title, author, pullRequest }: CommitProps) {
  const url = useStore(({ settings }) => settings?.repositoryUrl);
  return (
    <li>
      <Release name={sha} /> <span class="title">{title}</span>{' '}
      {pullRequest !== undefined &&
        (url ? (
          <a href={`${url}/pull/${pullRequest}`} rel="noreferrer">
            #{pullRequest}
          </a>
        ) : (
          `#${pullRequest}`
        ))}{' '}
      {author && <span class="hint">{author}</span>}
    </li>
  );
}
