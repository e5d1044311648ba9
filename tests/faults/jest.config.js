import base from '../../jest.config.js';

/**
 * The fault suite: scenarios against the built processes, not part of `npm test`. Each file starts a stack of its
 * own, on a copy of one database.
 */
export default {
  rootDir: '../..',
  testMatch: ['<rootDir>/tests/faults/*.faults.ts'],
  testPathIgnorePatterns: base.testPathIgnorePatterns,
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
