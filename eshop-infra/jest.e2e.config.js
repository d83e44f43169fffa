import base from './jest.config.js';

/** What is true of containers only; what only processes can do. */
const inContainers = ['/containers\\.spec\\.ts$'];
const asProcesses = ['/replicas\\.spec\\.ts$'];

/**
 * System tests through the gateway; `eshop test` starts the system for them and says where it is (ESHOP_*). One at a time, since
 * some kill parts that all need.
 */
export default {
  ...base,
  rootDir: 'e2e',
  testTimeout: 120_000,
  maxWorkers: 1,
  testPathIgnorePatterns: process.env.TEST_STACK === 'docker' ? asProcesses : inContainers,
};
