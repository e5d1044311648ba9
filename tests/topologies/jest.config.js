import faults from '../faults/jest.config.js';

/** The service on the topologies of its dependencies that it supports: failover, poolers, clusters. Not part of `npm test`. */
export default {
  ...faults,
  testMatch: ['<rootDir>/tests/topologies/*.topologies.ts'],
  maxWorkers: 2,
};
