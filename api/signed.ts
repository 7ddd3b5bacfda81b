/** Bodies that are signed: HMAC-SHA256 over the very bytes, as GitHub does it (`sha256={hex}`). */
import { Webhooks } from '@octokit/webhooks';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError, badRequest } from './errors.js';

/** Compares in constant time. @throws ApiError `UNAUTHENTICATED` */
export type Verify = (bytes: string, signature: string) => Promise<void>;

const FORM = /^sha256=[0-9a-f]{64}$/;

/** @param secret absent: nothing is taken, and who sends or runs it is told which variable to set */
export function createVerify(of: { secret: string | undefined; variable: string; header: string }): Verify {
  const { secret, variable, header } = of;
  if (!secret) {
    return async () => {
      throw new ApiError(
        'UNAUTHENTICATED',
        `${variable} is not set, so no signature can be checked: give the API the secret that the sender signs with`,
      );
    };
  }
  const webhooks = new Webhooks({ secret });
  return async (bytes, signature) => {
    if (bytes !== '' && FORM.test(signature) && (await webhooks.verify(bytes, signature))) return;
    throw new ApiError(
      'UNAUTHENTICATED',
      `${header} is not this body’s signature: both sides need the same secret (${variable})`,
    );
  };
}

/**
 * In the scope of this plugin a JSON body stays as it was sent, and is parsed once its signature was right.
 * Text, not bytes: what is no UTF-8 becomes another text, whose signature is false.
 */
export function keepText(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  );
}

export const textOf = ({ body }: FastifyRequest): string => (typeof body === 'string' ? body : '');

/** @throws ApiError 400 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest('The body is no JSON');
  }
}
