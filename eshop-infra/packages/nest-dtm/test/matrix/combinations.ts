/** One application that installs the package: which versions of what, and what it is. */
export interface Combination {
  name: string;
  node: string;
  typescript: string;
  /** `type` of its package.json. */
  modules: 'commonjs' | 'module';
  /** Compiler options other than those of `nest new`. */
  compilerOptions?: Record<string, unknown>;
  /** Name of a file in `apps`. */
  app: 'mysql-and-redis' | 'grpc' | 'http-only';
  adapter?: 'express' | 'fastify';
  dependencies: Record<string, string>;
  /** Packages for jest with `apps/app.spec.ts`, which is run by the Node of the tests: jest itself needs 24.9. */
  jest?: Record<string, string>;
  /** Peers of others that an application has to overrule. */
  overrides?: Record<string, Record<string, string>>;
}

const nest = (version: string): Record<string, string> => ({
  '@nestjs/common': version,
  '@nestjs/core': version,
  'reflect-metadata': '0.2.2',
  rxjs: '7.8.2',
});

const [NEST_11, NEST_12, NODE_22, NODE_24] = ['11.2.6', '12.5.1', '22.12.0', '24.22.3'];

/** The ends of the ranges in package.json, and what is usual together. */
export const combinations: readonly Combination[] = [
  {
    name: 'Nest 11 as `nest new` makes it, TypeORM 0.3, ioredis 5, Express, CommonJS, Node 22',
    node: NODE_22,
    typescript: '5.9.3',
    modules: 'commonjs',
    app: 'mysql-and-redis',
    adapter: 'express',
    dependencies: {
      ...nest(NEST_11),
      '@nestjs/platform-express': NEST_11,
      typeorm: '0.3.28',
      ioredis: '5.11.1',
      mysql2: '3.24.0',
    },
    jest: { '@nestjs/testing': NEST_11, '@types/jest': '30.0.0', jest: '30.5.2', 'ts-jest': '29.4.0' },
  },
  {
    name: 'Nest 12 as `nest new` makes it, TypeORM 1, ioredis 6, Express, ESM, Node 24',
    node: NODE_24,
    typescript: '6.0.3',
    modules: 'module',
    app: 'mysql-and-redis',
    adapter: 'express',
    dependencies: {
      ...nest(NEST_12),
      '@nestjs/platform-express': NEST_12,
      typeorm: '1.1.1',
      ioredis: '6.0.0',
      mysql2: '3.24.0',
    },
    // TypeORM's own peer dependency is ioredis 5.
    overrides: { typeorm: { ioredis: '$ioredis' } },
  },
  {
    name: 'the oldest of all, Fastify, `module: commonjs`, Node 22',
    node: NODE_22,
    typescript: '5.8.3',
    modules: 'commonjs',
    compilerOptions: { module: 'commonjs', moduleResolution: 'node10', resolvePackageJsonExports: undefined },
    app: 'mysql-and-redis',
    adapter: 'fastify',
    dependencies: {
      ...nest('11.0.1'),
      // 11.0.1 asks for Nest 10 by mistake.
      '@nestjs/platform-fastify': '11.0.3',
      typeorm: '0.3.20',
      ioredis: '5.4.1',
      mysql2: '3.11.0',
    },
  },
  {
    name: 'Nest 11, gRPC, ESM, without TypeORM and ioredis, Node 24',
    node: NODE_24,
    typescript: '5.9.3',
    modules: 'module',
    app: 'grpc',
    dependencies: {
      ...nest(NEST_11),
      '@nestjs/microservices': NEST_11,
      '@grpc/grpc-js': '1.14.0',
      '@grpc/proto-loader': '0.8.1',
    },
  },
  {
    name: 'Nest 12, gRPC, CommonJS, without TypeORM and ioredis, Node 22',
    node: NODE_22,
    typescript: '6.0.3',
    modules: 'commonjs',
    app: 'grpc',
    dependencies: {
      ...nest(NEST_12),
      '@nestjs/microservices': '12.1.1',
      '@grpc/grpc-js': '1.14.7',
      '@grpc/proto-loader': '0.8.1',
    },
  },
  {
    name: 'Nest 12, HTTP on Fastify with nothing that is optional, CommonJS, Node 22',
    node: NODE_22,
    typescript: '6.0.3',
    modules: 'commonjs',
    app: 'http-only',
    adapter: 'fastify',
    dependencies: { ...nest(NEST_12), '@nestjs/platform-fastify': '12.5.0' },
  },
];
