/** The formats that `schema.ts` names, each a pure test of a string. */
import { parseDuration } from '../duration.js';

const SCP_LIKE = /^[A-Za-z0-9_][A-Za-z0-9._-]*@[A-Za-z0-9.-]+:[^\s:][^\s]*$/;
/** No `ext::` and no option: Git would run what they say. */
const GIT_SCHEMES = ['https:', 'http:', 'ssh:', 'git:', 'file:'];

function urlOf(text: string): URL | undefined {
  try {
    return /\s/.test(text) ? undefined : new URL(text);
  } catch {
    return undefined;
  }
}

export function isWebUrl(text: string): boolean {
  const url = urlOf(text);
  if (!url || !/^https?:\/\//i.test(text)) return false;
  return url.username === '' && url.password === '';
}

/** A user is no secret in `ssh://git@…`; in an https URL it may be a token (rule 7). */
export function isGitUrl(text: string): boolean {
  if (/^\/[^\s]*$/.test(text) || SCP_LIKE.test(text)) return true;
  const url = urlOf(text);
  if (!url || !text.includes('://') || !GIT_SCHEMES.includes(url.protocol)) return false;
  return url.password === '' && (url.username === '' || url.protocol === 'ssh:');
}

/** Relative, and stays in the checkout. `.` is the checkout itself. */
export const isInside = (text: string): boolean =>
  text !== '' && !text.startsWith('/') && !/[\\\0]/.test(text) && !text.split('/').includes('..');

/** What `git check-ref-format --branch` takes, as far as it matters here. */
export const isBranch = (text: string): boolean =>
  /^[^\s\p{Cc}~^:?*[\\]+$/u.test(text) && !/^[-/]|[/.]$|\.lock$|\.\.|\/\/|\/\.|^\.|@\{|^@$/.test(text);

export const FORMATS: Record<string, (text: string) => boolean> = {
  duration: (text) => parseDuration(text) !== undefined,
  'web-url': isWebUrl,
  'git-url': isGitUrl,
  inside: isInside,
  branch: isBranch,
};
