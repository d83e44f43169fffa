import { basename } from 'node:path';
import type { Plugin } from 'esbuild';

/** What `MysqlModule` needs: its driver, and what describes drivers to the rest of TypeORM. */
const KEPT = /[\\/]driver[\\/](mysql|types)[\\/]/;

/** TypeORM loads the drivers of 17 kinds of database, whichever is used. All but MySQL's are left out; who asks for one is told. */
export const typeormDrivers: Plugin = {
  name: 'typeorm-drivers',
  setup(build) {
    build.onLoad({ filter: /[\\/]node_modules[\\/]typeorm[\\/]driver[\\/][^\\/]+[\\/][^\\/]+\.js$/ }, ({ path }) => {
      if (KEPT.test(path)) return undefined;
      const name = JSON.stringify(basename(path, '.js'));
      const contents = `exports[${name}] = class { constructor() { throw new Error(${name} + ' is not in this bundle'); } };`;
      return { contents, loader: 'js' };
    });
  },
};
