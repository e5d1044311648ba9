import { availableParallelism } from 'node:os';

/** What kills processes again and again, for minutes: `npm run test:deep`. */
const deep = process.env['DEEP_TESTS'] === '1' ? [] : [String.raw`\.deep\.test\.ts$`];
const notSource = ['/node_modules/', '/dist/', '/.local/'];

/** Journeys of a user through the whole system, and what needs a browser: `npm run test:journeys`. */
export const journeys = {
  testMatch: [
    '<rootDir>/tests/journeys/**/*.test.ts',
    '<rootDir>/{apps,packages,tools}/*/src/**/*browser.test.ts',
  ],
  testPathIgnorePatterns: notSource,
};

/** One project for the whole repository: tests run from source (no build needed) on real services. */
export default {
  testMatch: ['<rootDir>/{apps,packages,perf,tests,tools}/**/*.test.ts'],
  testPathIgnorePatterns: [
    ...notSource,
    ...deep,
    '/tests/journeys/',
    '/tests/images/',
    'browser\\.test\\.ts$',
  ],
  modulePathIgnorePatterns: ['<rootDir>/.local/', '<rootDir>/.*/dist/'],
  testRunner: '<rootDir>/tools/testing/jest/run-natively.js',
  transform: {},
  globalSetup: '<rootDir>/tools/testing/jest/global-setup.js',
  globalTeardown: '<rootDir>/tools/testing/jest/global-teardown.js',
  testSequencer: '<rootDir>/tools/testing/jest/whole-systems-first.js',
  testEnvironment: 'node',
  // Tests mostly wait for real servers; jest's own choice (one less than there are cores) leaves machines idle.
  maxWorkers: availableParallelism() + 2,
  workerIdleMemoryLimit: '1200MB',
  testTimeout: 60_000,
  passWithNoTests: false,
};
