/** GitHub Apps and OAuth apps: the App's JWT, its installation's tokens, whose token is whose. */
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import type { AppOptions } from './caller.js';

const LONGEST_S = 600;

const part = (text = ''): unknown => JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));

/** Why a JWT is not the App's, in GitHub's words; undefined where it is. */
export function jwtTrouble(jwt: string, app: AppOptions, nowSeconds: number): string | undefined {
  const undecoded = 'A JSON web token could not be decoded';
  const [header, payload, signature] = jwt.split('.');
  let claims: Record<string, unknown>;
  try {
    if ((part(header) as { alg?: string }).alg !== 'RS256') return undecoded;
    claims = part(payload) as Record<string, unknown>;
    const signed = Buffer.from(`${header}.${payload}`);
    const key = createPublicKey(app.key);
    if (!verify('RSA-SHA256', signed, key, Buffer.from(signature ?? '', 'base64url'))) return undecoded;
  } catch {
    return undecoded;
  }
  const { iss, iat, exp } = claims;
  if (String(iss) !== String(app.id) && iss !== app.clientId) return 'Integration not found';
  if (typeof iat !== 'number' || iat > nowSeconds)
    return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";
  if (typeof exp !== 'number' || exp <= nowSeconds)
    return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
  if (exp > nowSeconds + LONGEST_S) return "'Expiration time' claim ('exp') is too far in the future";
  return undefined;
}

export const newToken = (prefix: 'ghs_' | 'gho_' | 'ghu_' | 'ghp_'): string =>
  prefix + randomBytes(18).toString('hex');

export const hashed = (text: string): string => createHash('sha256').update(text).digest('hex');
