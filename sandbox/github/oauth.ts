/** OAuth's web flow: codes that an app turns into a person's token, once and soon. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { OAuthAppOptions } from './caller.js';

const CODE_MS = 10 * 60_000;

export interface Grant {
  clientId: string;
  login: string;
  scopes: string[];
  redirectUri: string;
  /** Of PKCE: `S256` only, as at GitHub. */
  challenge?: string;
}

export type Failure = 'incorrect_client_credentials' | 'redirect_uri_mismatch' | 'bad_verification_code';

export interface Exchange {
  code?: string;
  redirectUri?: string;
  verifier?: string;
  /** Epoch ms. */
  now: number;
}

const isSame = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

const LOOPBACK = ['127.0.0.1', '[::1]', 'localhost'];

/**
 * Whether an app may be answered there: host and port of its callback, or below its path. On the machine itself
 * any port will do.
 */
export function mayRedirect({ callbackUrl }: OAuthAppOptions, uri: string): boolean {
  if (!URL.canParse(uri)) return false;
  const asked = new URL(uri);
  if (callbackUrl === undefined) return LOOPBACK.includes(asked.hostname);
  const known = new URL(callbackUrl);
  const isHost = LOOPBACK.includes(known.hostname)
    ? known.hostname === asked.hostname
    : known.host === asked.host;
  const isBelow = asked.pathname === known.pathname || asked.pathname.startsWith(`${known.pathname}/`);
  return known.protocol === asked.protocol && isHost && isBelow;
}

export class Grants {
  readonly #codes = new Map<string, Grant & { until: number }>();

  /** @returns the code for the app */
  add(grant: Grant, now: number): string {
    const code = randomBytes(10).toString('hex');
    this.#codes.set(code, { ...grant, until: now + CODE_MS });
    return code;
  }

  /** A code is good once, for its own app, and with the verifier of its challenge. */
  take(clientId: string, { code = '', redirectUri, verifier = '', now }: Exchange): Grant | Failure {
    const grant = this.#codes.get(code);
    if (!grant || grant.clientId !== clientId || grant.until <= now) return 'bad_verification_code';
    if (redirectUri !== undefined && redirectUri !== grant.redirectUri) return 'redirect_uri_mismatch';
    this.#codes.delete(code);
    const proof = createHash('sha256').update(verifier).digest('base64url');
    if (grant.challenge !== undefined && !isSame(proof, grant.challenge)) return 'bad_verification_code';
    return grant;
  }
}
