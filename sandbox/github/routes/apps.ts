import { failed, invalid, notFound, type Answer } from '../answers.js';
import type { AppOptions, OAuthAppOptions, Permissions } from '../caller.js';
import { isRecord, required, text, texts } from '../fields.js';
import type { Route, RouteRequest } from '../router.js';
import { appBody, authorizationBody, installationBody } from '../shapes/app.js';
import { repositoryBody } from '../shapes/repository.js';

const HOUR_MS = 3_600_000;
const LEVELS = ['read', 'write', 'admin'];

/** Only the App itself, by its JWT. */
function asApp(request: RouteRequest, work: (app: AppOptions) => Answer): Answer {
  const { caller } = request;
  if (!caller?.isJwt || !caller.app) return failed(401, 'A JSON web token could not be decoded');
  return work(caller.app);
}

/** Undefined: more than the installation has. */
function narrowed(app: AppOptions, wanted: unknown): Permissions | undefined {
  if (wanted === undefined) return app.permissions;
  if (!isRecord(wanted)) return undefined;
  const isWithin = Object.entries(wanted).every(
    ([name, level]) =>
      LEVELS.indexOf(String(level)) <= LEVELS.indexOf(app.permissions[name] ?? '') && level !== '',
  );
  return isWithin ? (wanted as Permissions) : undefined;
}

function makeToken({ params, body, state, url, repository }: RouteRequest, app: AppOptions): Answer {
  if (params['id'] !== String(app.installationId)) return notFound();
  const fields = isRecord(body) ? body : {};
  const names = texts(fields, 'repositories');
  const unknown = names?.some((name) => name.toLowerCase() !== repository?.name.toLowerCase());
  const permissions = narrowed(app, fields['permissions']);
  if (unknown || !permissions) {
    const message = unknown
      ? 'There is at least one repository that does not exist or is not accessible to the parent installation.'
      : 'The permissions requested are not granted to this installation.';
    return failed(422, message);
  }
  const expiresAt = Math.floor(Date.now() / 1_000) * 1_000 + HOUR_MS;
  const place = repository && { repository, state, url };
  return {
    status: 201,
    body: {
      token: state.addInstallationToken(app, permissions, expiresAt),
      expires_at: new Date(expiresAt).toISOString().replace('.000Z', 'Z'),
      permissions,
      repository_selection: names ? 'selected' : 'all',
      ...(names && place ? { repositories: [repositoryBody(place)] } : {}),
    },
  };
}

/** The app whose id and secret came as basic authentication, where the path names it too. */
function clientOf({ headers, params, state }: RouteRequest): OAuthAppOptions | Answer {
  const [, encoded = ''] = /^basic (\S+)$/i.exec(headers.authorization ?? '') ?? [];
  const [id, secret] = Buffer.from(encoded, 'base64').toString('utf8').split(':', 2);
  const found = state.oauthApps.find((app) => app.clientId === id && app.clientSecret === secret);
  if (!found) return failed(401, encoded ? 'Bad credentials' : 'Requires authentication');
  return found.clientId === params['client'] ? found : notFound();
}

function checkToken(request: RouteRequest): Answer {
  const app = clientOf(request);
  if ('status' in app) return app;
  const { body, state, url } = request;
  const fields = isRecord(body) ? body : {};
  if (!text(fields, 'access_token'))
    return invalid({ resource: 'OauthAccess', code: 'missing_field', field: 'access_token' });
  const token = required(fields, 'access_token');
  const caller = state.callerOf(token, Date.now());
  if (!caller?.user || caller.clientId !== app.clientId) return notFound();
  const { user, scopes = [], permissions } = caller;
  const checked = { token, login: user.login, scopes, permissions };
  return { status: 200, body: authorizationBody(app, checked, { state, url }) };
}

function revoke(request: RouteRequest): Answer {
  const checked = checkToken(request);
  if (checked.status !== 200) return checked;
  request.state.revokeToken(required(isRecord(request.body) ? request.body : {}, 'access_token'));
  return { status: 204 };
}

export const apps: Route[] = [
  {
    method: 'GET',
    path: '/app',
    handle: (request) => asApp(request, (app) => ({ status: 200, body: appBody(app, request) })),
  },
  {
    method: 'POST',
    path: '/app/installations/{id}/access_tokens',
    handle: (request) => asApp(request, (app) => makeToken(request, app)),
  },
  {
    method: 'GET',
    path: '/repos/{owner}/{repo}/installation',
    handle: (request) =>
      asApp(request, (app) => {
        const { params, state, repository } = request;
        const isHere =
          params['owner']?.toLowerCase() === (repository?.owner ?? state.org).toLowerCase() &&
          (!repository || params['repo']?.toLowerCase() === repository.name.toLowerCase());
        return isHere ? { status: 200, body: installationBody(app, request) } : notFound();
      }),
  },
  {
    method: 'GET',
    path: '/app/installations',
    handle: (request) => asApp(request, (app) => ({ status: 200, body: [installationBody(app, request)] })),
  },
  {
    method: 'GET',
    path: '/app/installations/{id}',
    handle: (request) =>
      asApp(request, (app) =>
        request.params['id'] === String(app.installationId)
          ? { status: 200, body: installationBody(app, request) }
          : notFound(),
      ),
  },
  { method: 'POST', path: '/applications/{client}/token', open: true, handle: checkToken },
  { method: 'DELETE', path: '/applications/{client}/token', open: true, handle: revoke },
];
