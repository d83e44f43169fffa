import base from './jest.config.js';

/** By itself, since it installs packages and takes minutes: `npm run test:matrix`. */
export default {
  ...base,
  roots: ['<rootDir>/test/matrix'],
  testPathIgnorePatterns: ['<rootDir>/test/matrix/apps/'],
  maxWorkers: 1,
};
