/** The arrows of the layout (docs and design §11): what may import what. `npm run arrows`. */

const OURS = '^(domain|workflows|activities|clients|worker|api|cli|dashboard|sandbox|bench|test)/';

/** @param {string} from a folder @param {string[]} to the folders of ours that it may import, besides itself */
const only = (from, to, comment) => ({
  name: `${from}-imports-only-${to.join('-') || 'itself'}`,
  comment,
  severity: 'error',
  from: { path: `^${from}/` },
  to: { path: OURS, pathNot: `^(${[from, ...to].join('|')})/` },
});

module.exports = {
  forbidden: [
    only('domain', [], 'domain/ holds the pure rules: it imports nothing of ours.'),
    {
      name: 'domain-imports-no-package',
      comment: 'Only what checks sluice.yaml and matches its paths; no Temporal, no Node, no I/O.',
      severity: 'error',
      from: { path: '^domain/' },
      // What a task definition looks like is AWS's to say: its types, never its client.
      to: {
        pathNot: ['^domain/', '^node_modules/(typebox|yaml|ajv|ajv-formats|picomatch|@aws-sdk/client-ecs)/'],
      },
    },
    {
      name: 'domain-knows-types-of-aws',
      comment: 'A value import would bring the client, and with it I/O, into the rules.',
      severity: 'error',
      from: { path: '^domain/' },
      to: { path: '^node_modules/@aws-sdk/', dependencyTypesNot: ['type-only'] },
    },
    only(
      'workflows',
      ['domain', 'activities'],
      'Workflows stand on domain/ and on the types of activities/.',
    ),
    {
      name: 'workflows-know-types-of-activities',
      comment: 'A value import would pull the effects into the workflow bundle.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { path: '^activities/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'workflows-import-no-effects',
      comment: 'Nothing of Node, and of packages only what runs in the workflow sandbox.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: {
        dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-no-pkg', 'npm-unknown'],
        pathNot: '^node_modules/@temporalio/(workflow|common)/',
        dependencyTypesNot: ['type-only'],
      },
    },
    only('activities', ['domain', 'clients'], 'Effects stand on the rules and on configured clients.'),
    only('clients', ['domain'], 'Clients are shared by all: they know none of them.'),
    only('api', ['domain', 'clients'], 'The API never pulls in activities, workflows or the worker.'),
    only('cli', ['domain', 'clients'], 'The command line is a client of the API.'),
    only('dashboard', ['domain'], 'The dashboard is a client of the API, in the browser.'),
    {
      name: 'dashboard-runs-in-browsers',
      comment: 'Of packages only the UI library: nothing of Node, and every byte is loaded by everyone.',
      severity: 'error',
      from: { path: '^dashboard/' },
      to: {
        dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-no-pkg', 'npm-unknown'],
        pathNot: '^node_modules/preact/',
        dependencyTypesNot: ['type-only'],
      },
    },
    only(
      'worker',
      ['domain', 'clients', 'activities', 'workflows'],
      'The worker puts workflows and activities together.',
    ),
    {
      name: 'nothing-imports-tests',
      comment: 'What runs in production does not need test/ or bench/.',
      severity: 'error',
      from: { pathNot: '^(test|bench)/' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'no-cycles',
      comment: 'A cycle has no bottom to begin reading at.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'What cannot be found cannot be checked.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'declared',
      comment: 'A package that package.json does not name comes and goes with others.',
      severity: 'error',
      from: { path: OURS, pathNot: '^test/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};
