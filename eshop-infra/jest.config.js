/**
 * Specs beside the code, which need this repository only. Those that look at all repositories beside each other and those of
 * the running system have configurations of their own: jest.together.config.js, jest.e2e.config.js.
 */
export default {
  rootDir: 'src',
  testEnvironment: 'node',
  testRegex: '(?<!\\.together)\\.spec\\.ts$',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': ['@swc/jest', { jsc: { target: 'es2024', parser: { syntax: 'typescript' } } }] },
  testTimeout: 60_000,
};
