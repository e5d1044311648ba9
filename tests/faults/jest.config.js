import base from '../../jest.config.js';

/**
 * The fault suite: scenarios against the built processes, not part of `npm test`. Each file starts a stack of its
 * own, on a copy of one database.
 */
export default {
  rootDir: '../..',
  testMatch: ['<rootDir>/tests/faults/*.faults.ts'],
  // The random walk is for the whole suite: in a few seconds it comes by little that the other files do not break one by one.
  testPathIgnorePatterns: [
    ...base.testPathIgnorePatterns,
    ...(process.env['FAULTS_QUICK'] === '1' ? ['random-walk'] : []),
  ],
  modulePathIgnorePatterns: base.modulePathIgnorePatterns,
  testRunner: base.testRunner,
  globalSetup: '<rootDir>/tools/testing/jest/faults-setup.js',
  globalTeardown: '<rootDir>/tools/testing/jest/faults-teardown.js',
  transform: base.transform,
  testEnvironment: base.testEnvironment,
  testTimeout: 180_000,
  // Most of a scenario is waiting: three at a time keep two cores busy.
  maxWorkers: 3,
};
