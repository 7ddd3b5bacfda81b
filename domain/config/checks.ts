/** What no schema can say of `sluice.yaml`: names, and keys that must agree with others. */
import { nearest, showPath, type Path, type Problem } from './problems.js';
import { isName } from '../ids.js';
import { PLACEHOLDER, PLACEHOLDERS } from '../promotion/test-inputs.js';

type Values = Record<string, unknown>;

/** Looks only where the form is right, so that it can run beside the schema on a file that has both faults. */
export function checkConfig(root: unknown): Problem[] {
  const environments = Object.keys(mapAt(root, 'environments'));
  return [
    ...environments.flatMap((name) => checkName(['environments', name], name)),
    ...Object.entries(mapAt(root, 'apps')).flatMap(([name, app]) => [
      ...checkName(['apps', name], name),
      ...checkEnvironments(['apps', name], app, environments),
      ...checkImages(['apps', name, 'images'], app),
      ...checkTests(['apps', name, 'tests'], app),
      ...checkPromotion(['apps', name], app),
    ]),
    ...checkServices(root),
  ];
}

/** They stand in workflow ids, tags and addresses. */
function checkName(path: Path, name: string): Problem[] {
  if (isName(name)) return [];
  const expected = 'lower-case letters, digits, "_" and "-", beginning with a letter or digit, up to 63';
  return [{ path, message: `the name cannot stand in ids: expected ${expected}` }];
}

function checkEnvironments(path: Path, app: unknown, known: readonly string[]): Problem[] {
  const used = Object.keys(mapAt(app, 'environments'));
  const isReleaseOnly = releaseOnly(app);
  if (isReleaseOnly && used.length > 0) {
    return [
      {
        path: [...path, 'environments'],
        message: 'a releaseOnly app is not deployed: remove one of the two',
      },
    ];
  }
  if (!isReleaseOnly && used.length === 0 && isMap(app)) {
    const message = 'missing, expected at least one environment, or releaseOnly: true on the app';
    return [{ path: [...path, 'environments'], message }];
  }
  return used
    .filter((name) => !known.includes(name))
    .map((name) => {
      const meant = nearest(name, known);
      const hint = meant ? `did you mean "${meant}"?` : `known are ${known.join(', ') || 'none'}`;
      return { path: [...path, 'environments', name], message: `no such environment; ${hint}` };
    });
}

/** One image a container; one build a repository, or the second push would move the first one's tag. */
function checkImages(path: Path, app: unknown): Problem[] {
  const seen = new Map<string, Path>();
  const once = (kind: string, name: unknown, at: Path): Problem[] => {
    if (typeof name !== 'string') return [];
    const before = seen.get(`${kind} ${name}`);
    seen.set(`${kind} ${name}`, before ?? at);
    return before
      ? [{ path: at, message: `the ${kind} "${name}" stands at ${showPath(before)} already` }]
      : [];
  };
  return listAt(app, 'images').flatMap((image, index) => {
    const { container, repository } = isMap(image) ? image : {};
    const containers = Array.isArray(container)
      ? container.flatMap((name, place) => once('container', name, [...path, index, 'container', place]))
      : once('container', container, [...path, index, 'container']);
    return [...containers, ...once('repository', repository, [...path, index, 'repository'])];
  });
}

const RUNNERS = ['github', 'command', 'report'] as const;

function checkTests(path: Path, app: unknown): Problem[] {
  if (!isMap(app) || !isMap(app['tests'])) return [];
  const tests = app['tests'];
  const chosen = RUNNERS.filter((runner) => tests[runner] !== undefined);
  const one: Problem[] =
    chosen.length === 1
      ? []
      : [
          {
            path,
            message: `expected exactly one of github, command, report, got ${chosen.join(' and ') || 'none'}`,
          },
        ];
  if (releaseOnly(app))
    one.push({ path, message: 'a releaseOnly app is not deployed: nothing can be tested' });
  const stagingUrl = mapAt(mapAt(app, 'environments'), 'staging')['url'];
  const inputs = Object.entries(mapAt(tests['github'], 'inputs')).flatMap(([name, value]) => {
    const found = typeof value === 'string' ? (value.match(PLACEHOLDER) ?? []) : [];
    return found.flatMap((placeholder) => {
      const at = [...path, 'github', 'inputs', name];
      if (!PLACEHOLDERS.includes(placeholder)) {
        return [{ path: at, message: `unknown ${placeholder}; known are ${PLACEHOLDERS.join(', ')}` }];
      }
      if (placeholder !== '{staging.url}' || stagingUrl !== undefined) return [];
      return [{ path: at, message: '{staging.url} needs environments.staging.url of this app' }];
    });
  });
  return [...one, ...inputs];
}

function checkPromotion(path: Path, app: unknown): Problem[] {
  if (!isMap(app) || app['promotion'] === undefined) return [];
  const at = [...path, 'promotion'];
  if (releaseOnly(app))
    return [{ path: at, message: 'a releaseOnly app is not promoted: remove one of the two' }];
  const environments = mapAt(app, 'environments');
  const missing = ['staging', 'production'].filter((name) => !(name in environments));
  if (missing.length === 0) return [];
  return [
    {
      path: at,
      message: `needs the app’s environments staging and production; missing: ${missing.join(', ')}`,
    },
  ];
}

/** Two lanes on one service would be two writers (rule 1). */
function checkServices(root: unknown): Problem[] {
  const seen = new Map<string, Path>();
  const region = mapAt(root, 'aws')['region'];
  return Object.entries(mapAt(root, 'apps')).flatMap(([app, settings]) =>
    Object.entries(mapAt(settings, 'environments')).flatMap(([name, target]) => {
      const service = isMap(target) ? target['service'] : undefined;
      const environment = mapAt(mapAt(root, 'environments'), name);
      if (typeof service !== 'string' || typeof environment['cluster'] !== 'string') return [];
      const where = [
        environment['region'] ?? region,
        environment['roleArn'],
        environment['cluster'],
        service,
      ];
      const key = JSON.stringify(where);
      const path: Path = ['apps', app, 'environments', name, 'service'];
      const before = seen.get(key);
      seen.set(key, before ?? path);
      return before
        ? [
            {
              path,
              message: `the service "${service}" of that cluster stands at ${showPath(before)} already`,
            },
          ]
        : [];
    }),
  );
}

const releaseOnly = (app: unknown): boolean => isMap(app) && app['releaseOnly'] === true;

const isMap = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function mapAt(value: unknown, key: string): Values {
  const found = isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return isMap(found) ? found : {};
}

function listAt(value: unknown, key: string): unknown[] {
  const found = isMap(value) ? value[key] : undefined;
  return Array.isArray(found) ? found : [];
}
