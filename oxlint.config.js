/**
 * What has a room of its own: the packages of this repository, and the libraries that only some of them may use.
 * Any other library is free to all rooms.
 */
const guarded = {
  domain: ['@billing/domain'],
  platform: ['@billing/platform'],
  store: ['@billing/store'],
  sync: ['@billing/sync'],
  client: ['@billing/client'],
  apps: ['@billing/api', '@billing/worker', '@billing/cli', '@billing/console', '**/apps/**'],
  tools: [
    '@billing/testing',
    '@billing/offline-stripe',
    '@billing/local-stack',
    '@billing/check-tools',
    '**/tools/**',
  ],
  perf: ['@billing/bench', '@billing/seed-load', '**/perf/**'],
  /** A relative path into another package; its name says the same. */
  'files of other packages': ['**/src/**'],
  express: ['express', 'helmet', 'cors', '@bull-board/*'],
  bullmq: ['bullmq', 'bullmq-otel'],
  prisma: ['@prisma/*', '**/generated/**'],
  ioredis: ['ioredis'],
  stripe: ['stripe'],
  react: ['react', 'react-dom', '@mantine/*', '@tanstack/*', 'get-nonce'],
  node: ['node:*'],
};

/**
 * The rooms (docs/architecture.md), and all that each may import of what is guarded. `types` is for type imports only.
 * Tests may import everything; so may `perf` and the tools that are not listed.
 */
const rooms = [
  { folder: 'packages/domain/src', may: [] },
  { folder: 'packages/platform/src', may: ['domain', 'ioredis', 'stripe', 'node'] },
  { folder: 'packages/platform/src/queue', may: ['domain', 'bullmq', 'ioredis', 'node'] },
  { folder: 'packages/platform/src/tracing', may: ['domain', 'bullmq', 'prisma', 'node'] },
  { folder: 'packages/platform/src/migrate', may: ['domain', 'prisma', 'node'] },
  { folder: 'packages/store/src', may: ['domain', 'platform', 'prisma', 'ioredis', 'node'] },
  { folder: 'packages/sync/src', may: ['domain', 'platform', 'store', 'stripe', 'node'] },
  { folder: 'packages/client/src', may: [], types: ['domain'] },
  { folder: 'apps/api/src', may: ['domain', 'platform', 'store', 'sync', 'express', 'stripe', 'node'] },
  { folder: 'apps/worker/src', may: ['domain', 'platform', 'store', 'sync', 'bullmq', 'node'] },
  { folder: 'apps/console/src', may: ['react'], types: ['domain'] },
  { folder: 'apps/cli/src', may: ['domain', 'platform', 'store', 'sync', 'stripe', 'node'] },
  { folder: 'tools/offline-stripe/src', may: ['express', 'stripe', 'node'] },
  { folder: 'tools/check-tools/src', may: ['tools', 'node'] },
];

const tests = ['**/*.test.ts', '**/*.test-support.ts', 'tools/testing/**', 'tests/**'];

function restrictImports({ folder, may, types = [] }) {
  const refused = Object.entries(guarded).filter(([name]) => !may.includes(name));
  const patterns = refused.map(([name, group]) => {
    const allowed = rooms.filter((room) => room.may.includes(name)).map((room) => room.folder);
    return {
      group: group.flatMap((pattern) => [pattern, `${pattern}/**`]),
      allowTypeImports: types.includes(name),
      message: `${name}: only for ${allowed.join(', ') || 'tests and tools'} (see oxlint.config.js)`,
    };
  });
  return { files: [`${folder}/**`], rules: { 'no-restricted-imports': ['error', { patterns }] } };
}

const limit = (max) => ['error', { max, skipBlankLines: true, skipComments: true }];

export default {
  plugins: ['typescript', 'unicorn', 'import', 'promise', 'jest', 'node', 'oxc'],
  env: { node: true, es2024: true },
  categories: { correctness: 'error', suspicious: 'error' },
  ignorePatterns: ['**/dist/**', '**/generated/**', '**/node_modules/**', '.local/**', '.mirror/**'],
  rules: {
    'unicorn/require-post-message-target-origin': 'off',
    'max-lines': limit(200),
    'max-lines-per-function': limit(80),
    'max-params': ['error', { max: 4 }],
    eqeqeq: 'error',
    'import/no-cycle': ['error', { ignoreTypes: false }],
    'import/no-default-export': 'error',
    'import/no-unassigned-import': 'off',
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/consistent-type-definitions': ['error', 'type'],
    'typescript/consistent-type-imports': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/no-unsafe-type-assertion': 'error',
    'typescript/only-throw-error': 'error',
    'node/no-process-env': 'error',
    'unicorn/prefer-node-protocol': 'error',
    'unicorn/no-array-sort': 'off',
    'unicorn/no-array-reverse': 'off',
    'no-console': 'error',
    'oxc/no-async-endpoint-handlers': 'off',
    'consistent-return': 'off',
  },
  overrides: [
    {
      files: ['apps/console/src/**'],
      env: { browser: true, es2024: true },
      plugins: ['typescript', 'unicorn', 'import', 'promise', 'react', 'jsx-a11y', 'oxc'],
      rules: {
        // The compiler writes what JSX becomes.
        'react/react-in-jsx-scope': 'off',
        // It takes the cells of a table for components.
        'react/no-unstable-nested-components': 'off',
        // What scrolls has to be reached by keyboard.
        'jsx-a11y/no-noninteractive-tabindex': 'off',
        // The components of Mantine choose the tag.
        'jsx-a11y/prefer-tag-over-role': 'off',
      },
    },
    // A module of others can only be extended by an interface.
    {
      files: ['apps/console/src/app/register.d.ts'],
      rules: { 'typescript/consistent-type-definitions': 'off' },
    },
    // For each file the last override that names a rule counts: a room within a room stands after it, tests last.
    ...rooms.map(restrictImports),
    {
      files: tests,
      rules: {
        'no-restricted-imports': 'off',
        'node/no-process-env': 'off',
        'max-lines': limit(300),
        'max-lines-per-function': 'off',
        'typescript/no-unsafe-type-assertion': 'off',
        'unicorn/consistent-function-scoping': 'off',
      },
    },
    {
      files: ['**/main.ts', '**/*.config.{js,ts}', 'tools/**', 'perf/**'],
      rules: { 'node/no-process-env': 'off', 'import/no-default-export': 'off', 'no-console': 'off' },
    },
  ],
};
