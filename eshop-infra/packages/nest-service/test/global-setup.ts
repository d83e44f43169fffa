import { execFileSync } from 'node:child_process';

/** Compiles the test application for the specs that start it as a process of its own. */
export default function globalSetup(): void {
  execFileSync(process.execPath, ['node_modules/ts7/bin/tsc', '-p', 'tsconfig.test-app.json'], { stdio: 'inherit' });
}
