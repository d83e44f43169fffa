import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext } from '../../create-context.ts';
import { writeComposeSettings } from './settings.ts';

const state = mkdtempSync(join(tmpdir(), 'eshop-compose-'));
afterAll(() => rmSync(state, { recursive: true }));
const context = createContext({ instance: 'composed', env: { ...process.env, ESHOP_STATE: state } });

describe('the settings of an instance in containers', () => {
  const file = writeComposeSettings(context);
  const names = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split('=')[0]);

  it.each(['compose.yaml', 'compose.tests.yaml', 'compose.build.yaml'])('name all that %s asks for', (layer) => {
    const text = readFileSync(join(context.paths.infra, layer), 'utf8');
    const asked = [...text.matchAll(/\$\{(\w+)(?::\?|:-)/g)].map(([, name = '']) => name);
    // what a build is told by its own environment, and the version, which is the released one
    const left = ['ESHOP_PACKAGES', 'ESHOP_VERSION'];
    expect(asked.filter((name) => !names.includes(name) && !left.includes(name))).toEqual([]);
  });

  it('are for their owner only, since they hold passwords', () => {
    expect(statSync(file).mode & 0o077).toBe(0);
  });
});
