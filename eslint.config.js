import { builtinModules } from 'node:module';
import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const NO_BUILTINS = 'Workflow code is replayed: it may touch nothing outside (design §2, rule 10).';
const builtins = builtinModules.flatMap((name) => [name, `node:${name}`]);

const banned = (names, message) => names.map((name) => ({ name, message }));

/** Whatever can end up in the workflow bundle: the same answer at every replay. */
const deterministic = {
  'no-restricted-imports': [
    'error',
    {
      paths: banned(builtins, NO_BUILTINS),
      patterns: [{ regex: '^node:', message: NO_BUILTINS }],
    },
  ],
  'no-restricted-globals': [
    'error',
    ...banned(['process', 'require', 'fetch', 'performance', 'crypto', 'Buffer'], NO_BUILTINS),
    ...banned(['console'], 'Use `log` of @temporalio/workflow: it is silent while replaying.'),
    ...banned(
      ['setTimeout', 'setInterval', 'setImmediate'],
      'Use `sleep` or `condition` of @temporalio/workflow: they have a summary and can be cancelled.',
    ),
    ...banned(
      ['WeakRef', 'FinalizationRegistry'],
      'Depends on garbage collection: not the same at a replay.',
    ),
  ],
};

const PROMISE_RACE = {
  selector: "CallExpression[callee.object.name='Promise'][callee.property.name='race']",
  message:
    'Promise.race leaks what loses and is a known leak in workflows: use `condition` or a CancellationScope.',
};

/** `setHandler(x, …, { validator: async … })`: the promise is dropped and the workflow task fails for ever. */
const ASYNC_VALIDATOR = {
  selector:
    "Property[key.name='validator'] > :matches(ArrowFunctionExpression, FunctionExpression)[async=true]",
  message: 'An update validator is synchronous: an async one wedges the workflow.',
};

const CLOCK = [
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: 'domain/ has no clock: take the time as an argument.',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'domain/ has no clock: take the time as an argument.',
  },
  {
    selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
    message: 'domain/ is pure: take random values as an argument.',
  },
];

export default defineConfig(
  globalIgnores(['build/', 'coverage/', '.sluice/', 'api/assets/']),
  eslint.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      'no-console': ['error', { allow: ['error'] }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-deprecated': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // An async function without await is how an interface of promises is implemented.
      '@typescript-eslint/require-await': 'off',
      // Effects are objects of functions without `this`; they are taken apart and put together freely.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      'no-restricted-syntax': ['error', ASYNC_VALIDATOR],
    },
  },
  {
    files: ['workflows/**/*.ts'],
    rules: {
      ...deterministic,
      'no-console': 'off',
      'no-restricted-syntax': ['error', ASYNC_VALIDATOR, PROMISE_RACE],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['**/activities/**', '@temporalio/activity', '@temporalio/client', '@temporalio/worker'],
              allowTypeImports: true,
              message: 'Workflows know only the types of activities: `import type`.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['domain/**/*.ts'],
    rules: {
      ...deterministic,
      'no-console': 'off',
      'no-restricted-syntax': ['error', ASYNC_VALIDATOR, PROMISE_RACE, ...CLOCK],
    },
  },
  {
    // They talk to a person.
    files: ['cli/**/*.ts', 'sandbox/**/*.ts', 'bench/**/*.ts', 'test/golden/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Bodies of responses are looked at as they come.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      // Node's own, as this Node has them.
      globals: Object.fromEntries(
        [...Object.getOwnPropertyNames(globalThis), 'module'].map((name) => [name, 'readonly']),
      ),
    },
  },
);
