import { execFileSync } from 'node:child_process';

/** Compiles the service for the specs that run it as a process of its own. */
export default function globalSetup(): void {
  const args = ['node_modules/ts7/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', 'node_modules/.cache/order'];
  execFileSync(process.execPath, args, { stdio: 'inherit' });
}
