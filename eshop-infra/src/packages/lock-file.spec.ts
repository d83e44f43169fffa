import { type LockFile, packageName, platformOf, tidyLockFile, withoutOwnPackages } from './lock-file.ts';

const lock = (packages: LockFile['packages']): LockFile => ({ name: 'x', lockfileVersion: 3, packages });

test('what a lock file says of our own packages is asked for anew, the rest stays', () => {
  const { packages } = withoutOwnPackages(
    lock({
      '': { version: '1.0.0' },
      'node_modules/@eshop/proto': { version: '0.1.0' },
      'node_modules/zod': { version: '4.0.0' },
    }),
  );
  expect(Object.keys(packages)).toEqual(['', 'node_modules/zod']);
});

describe('a tidy lock file', () => {
  it('names no registry, and does not pin the bytes of our own packages', () => {
    const { packages } = tidyLockFile(
      lock({
        '': { version: '1.0.0' },
        'node_modules/@eshop/proto': {
          version: '0.1.0',
          resolved: 'http://127.0.0.1:4873/a.tgz',
          integrity: 'sha512-a',
        },
        'node_modules/zod': { version: '4.0.0', resolved: 'https://registry.example/zod.tgz', integrity: 'sha512-z' },
      }),
    );
    expect(packages).toEqual({
      '': { version: '1.0.0' },
      'node_modules/@eshop/proto': { version: '0.1.0' },
      'node_modules/zod': { version: '4.0.0', integrity: 'sha512-z' },
    });
  });

  it('leaves links as they are', () => {
    const link = { resolved: '../x', link: true };
    expect(tidyLockFile(lock({ 'node_modules/x': link })).packages['node_modules/x']).toEqual(link);
  });

  it('knows the native packages that the registry at hand does not have', () => {
    const { packages } = tidyLockFile(
      lock({
        'node_modules/biome': {
          version: '2.0.0',
          dev: true,
          optionalDependencies: { 'cli-linux-x64': '2.0.0', 'cli-darwin-arm64': '2.0.0' },
        },
        'node_modules/cli-linux-x64': { version: '2.0.0', dev: true, optional: true, os: ['linux'], cpu: ['x64'] },
      }),
    );
    expect(Object.keys(packages)).toEqual([
      'node_modules/biome',
      'node_modules/cli-darwin-arm64',
      'node_modules/cli-linux-x64',
    ]);
    expect(packages['node_modules/cli-darwin-arm64']).toEqual({
      version: '2.0.0',
      dev: true,
      optional: true,
      os: ['darwin'],
      cpu: ['arm64'],
    });
  });

  it('finds a native package that lies beside a nested one', () => {
    const { packages } = tidyLockFile(
      lock({
        'node_modules/a/node_modules/b': { version: '1.0.0', optionalDependencies: { 'c-linux-x64': '1.0.0' } },
        'node_modules/a/node_modules/c-linux-x64': { version: '1.0.0', optional: true },
      }),
    );
    expect(Object.keys(packages)).toHaveLength(2);
  });

  it('stays the same when it is tidied again', () => {
    const once = tidyLockFile(
      lock({ 'node_modules/a': { version: '1.0.0', optionalDependencies: { 'a-win32-x64': '1.0.0' } } }),
    );
    expect(JSON.stringify(tidyLockFile(once))).toBe(JSON.stringify(once));
  });

  it.each([
    ['@swc/core-linux-arm64-musl', { os: ['linux'], cpu: ['arm64'], libc: ['musl'] }],
    ['@swc/core-linux-x64-gnu', { os: ['linux'], cpu: ['x64'], libc: ['glibc'] }],
    ['@swc/core-win32-ia32-msvc', { os: ['win32'], cpu: ['ia32'] }],
    ['@x/binding-wasm32-wasi', { cpu: ['wasm32'] }],
    ['bufferutil', undefined],
  ])('reads the platform of %s from its name', (name, platform) => {
    expect(platformOf(name)).toEqual(platform);
  });

  it('knows a package by its innermost path', () => {
    expect(packageName('node_modules/a/node_modules/@eshop/proto')).toBe('@eshop/proto');
    expect(packageName('')).toBe('');
  });
});
