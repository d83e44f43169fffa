/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^@eshop/proto$': '<rootDir>/src/index.ts',
    '^@eshop/proto/(.*)$': '<rootDir>/src/generated/$1.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2024',
        },
        module: { type: 'es6' },
      },
    ],
  },
  coverageProvider: 'v8',
  // the first application of a spec loads Nest and its Swagger module: seconds on a busy machine
  testTimeout: 30_000,
};
