import base from '../../jest.config.js';

export default {
  ...base,
  rootDir: '../..',
  testMatch: ['<rootDir>/tests/images/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
