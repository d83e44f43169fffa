import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext } from '../create-context.ts';
import { chooseStack, recordStack } from './choice.ts';

const state = mkdtempSync(join(tmpdir(), 'eshop-stack-'));
afterAll(() => rmSync(state, { recursive: true }));
const instance = (name: string) => createContext({ instance: name, env: { ...process.env, ESHOP_STATE: state } });

describe('the stack of an instance', () => {
  it('is native while nothing has been begun: only `up` looks for an engine', () => {
    expect(instance('fresh').stack.name).toBe('native');
  });

  it('stays what it was begun with, for every command', async () => {
    const context = instance('begun');
    recordStack(context, 'docker');
    expect(instance('begun').stack.name).toBe('docker');
    expect((await chooseStack(context)).name).toBe('docker');
    recordStack(context, 'docker');
  });

  it('cannot be another one while it has data, and the way out is named', () => {
    const context = instance('taken');
    recordStack(context, 'docker');
    expect(() => recordStack(context, 'native')).toThrow(/"taken" is of the docker stack .*eshop reset/);
  });

  it('is native where data lie without a note, of `eshop start` or an earlier release', () => {
    const context = instance('older');
    mkdirSync(context.paths.data, { recursive: true });
    expect(context.stack.name).toBe('native');
    expect(() => recordStack(context, 'docker')).toThrow(/native stack/);
  });
});
