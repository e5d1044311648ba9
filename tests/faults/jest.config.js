import base from '../../jest.config.js';

/**
 * The fault suite: scenarios against the built processes, not part of `npm test`. Each file starts a stack of its
 * own, so nothing is set up for the whole run.
 */
export default {
  rootDir: '../..',
  testMatch: ['<rootDir>/tests/faults/*.faults.ts'],
  testPathIgnorePatterns: base.testPathIgnorePatterns,
  modulePathIgnorePatterns: base.modulePathIgnorePatterns,
  extensionsToTreatAsEsm: base.extensionsToTreatAsEsm,
  transform: base.transform,
  testEnvironment: base.testEnvironment,
  testEnvironmentOptions: base.testEnvironmentOptions,
  testTimeout: 180_000,
  // Most of a scenario is waiting: three at a time keep two cores busy.
  maxWorkers: 3,
};
