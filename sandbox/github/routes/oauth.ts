/** OAuth's web flow, as `GITHUB_SERVER_URL` plays it. */
import type { Answer } from '../answers.js';
import type { OAuthAppOptions } from '../caller.js';
import { isRecord } from '../fields.js';
import { mayRedirect, type Failure } from '../oauth.js';
import type { Route, RouteRequest } from '../router.js';
import { signInPage, troublePage } from '../shapes/sign-in.js';

const ASKED = ['client_id', 'redirect_uri', 'scope', 'state', 'code_challenge', 'code_challenge_method'];
const DOCS =
  'https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors';

/** Of the query and of a form or JSON, whichever way it came. */
function valuesOf({ query, body }: RouteRequest): Record<string, string> {
  const sent = isRecord(body) ? Object.entries(body) : [];
  const texts = sent.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return { ...Object.fromEntries(query), ...Object.fromEntries(texts) };
}

const redirect = (uri: string, query: Record<string, string | undefined>): Answer => {
  const to = new URL(uri);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) to.searchParams.set(name, value);
  return { status: 302, text: '', headers: { location: to.href } };
};

const trouble = (status: number, text: string): Answer => ({ status, text: troublePage(text) });

interface Asking {
  app: OAuthAppOptions;
  redirectUri: string;
  values: Record<string, string>;
}

/** Who asks, where it may be answered; else what GitHub says. */
function askingOf(request: RouteRequest): Asking | Answer {
  const values = valuesOf(request);
  const { client_id, redirect_uri, state, code_challenge_method: method } = values;
  const app = request.state.oauthApps.find(({ clientId }) => clientId === client_id);
  if (!app) return trouble(404, `There is no app with the client id ${client_id ?? ''} in this GitHub.`);
  const redirectUri = redirect_uri ?? app.callbackUrl;
  if (redirectUri === undefined)
    return trouble(400, 'redirect_uri is missing, and the app has no callback URL.');
  if (!mayRedirect(app, redirectUri)) {
    const error_description = 'The redirect_uri MUST match the registered callback URL for this application.';
    const mismatch = { error: 'redirect_uri_mismatch', error_description, state };
    return app.callbackUrl === undefined
      ? trouble(400, error_description)
      : redirect(app.callbackUrl, mismatch);
  }
  if (values['code_challenge'] !== undefined && method !== 'S256')
    return trouble(400, 'code_challenge_method is S256: GitHub takes no other.');
  return { app, redirectUri, values };
}

function choose(request: RouteRequest): Answer {
  const asking = askingOf(request);
  if ('status' in asking) return asking;
  const { state } = request;
  const { app, values } = asking;
  const known = Object.entries(values).filter(([name]) => ASKED.includes(name));
  return {
    status: 200,
    text: signInPage({
      app: app.name ?? app.clientId,
      team: state.team,
      people: state.people().map((login) => ({ login, isMember: state.memberState(login) === 'active' })),
      asked: Object.fromEntries(known),
    }),
    headers: { 'cache-control': 'no-store' },
  };
}

function chosen(request: RouteRequest): Answer {
  const asking = askingOf(request);
  if ('status' in asking) return asking;
  const { app, redirectUri, values } = asking;
  const { state, login = '', cancel, scope = '', code_challenge: challenge } = values;
  const { grants } = request.state;
  if (cancel !== undefined) {
    const error_description = 'The user has denied your application access.';
    return redirect(redirectUri, { error: 'access_denied', error_description, state });
  }
  if (!request.state.people().includes(login)) return trouble(404, `There is no ${login} in this GitHub.`);
  const scopes = [...new Set(scope.split(/[ ,]+/).filter((one) => one !== ''))];
  const grant = { clientId: app.clientId, login, scopes, redirectUri, challenge };
  return redirect(redirectUri, { code: grants.add(grant, Date.now()), state });
}

const MESSAGES: Record<Failure, string> = {
  incorrect_client_credentials: 'The client_id and/or client_secret passed are incorrect.',
  redirect_uri_mismatch: 'The redirect_uri MUST match the registered callback URL for this application.',
  bad_verification_code: 'The code passed is incorrect or expired.',
};

/** As the app wants it: a form, unless it asks for JSON. Failures too come with 200. */
function told({ headers }: RouteRequest, body: Record<string, string>): Answer {
  if (headers.accept?.includes('application/json')) return { status: 200, body };
  const type = 'application/x-www-form-urlencoded; charset=utf-8';
  return { status: 200, text: new URLSearchParams(body).toString(), headers: { 'content-type': type } };
}

const failure = (request: RouteRequest, error: Failure): Answer =>
  told(request, { error, error_description: MESSAGES[error], error_uri: `${DOCS}#${error}` });

/** Client id and secret stand in the body, or are sent as basic authentication. */
function clientOf({ headers }: RouteRequest, values: Record<string, string>): [string?, string?] {
  const [, encoded] = /^basic (\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (encoded === undefined) return [values['client_id'], values['client_secret']];
  const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(':', 2);
  // OAuth wants both encoded as in a form.
  return [decodeURIComponent(id), decodeURIComponent(secret)];
}

function exchange(request: RouteRequest): Answer {
  const { state } = request;
  const values = valuesOf(request);
  const [id, secret] = clientOf(request, values);
  const app = state.oauthApps.find(({ clientId }) => clientId === id);
  if (!app || app.clientSecret !== secret) return failure(request, 'incorrect_client_credentials');
  const grant = state.grants.take(app.clientId, {
    code: values['code'],
    redirectUri: values['redirect_uri'],
    verifier: values['code_verifier'],
    now: Date.now(),
  });
  if (typeof grant === 'string') return failure(request, grant);
  const { login, scopes, clientId } = grant;
  const access_token = state.addToken({ login, clientId, scopes });
  return told(request, { access_token, token_type: 'bearer', scope: scopes.join(',') });
}

export const oauth: Route[] = [
  { method: 'GET', path: '/login/oauth/authorize', open: true, handle: choose },
  { method: 'POST', path: '/login/oauth/authorize', open: true, handle: chosen },
  { method: 'POST', path: '/login/oauth/access_token', open: true, handle: exchange },
];
