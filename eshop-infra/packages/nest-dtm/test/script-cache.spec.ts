import { ScriptCache } from '../src/barrier/redis/script-cache.js';

describe('scripts under the barrier', () => {
  test('are built once per text, and know the digest Redis knows them by', () => {
    let built = 0;
    const cache = new ScriptCache((text) => `${text} -- ${++built}`);
    const script = cache.get('return 1');
    expect(cache.get('return 1')).toBe(script);
    expect(cache.get('return 2').text).toBe('return 2 -- 2');
    expect(script).toEqual({ text: 'return 1 -- 1', digest: 'cdd1015c47bd4bf2303203aabf2d1765ec9a3c12' });
  });

  test('do not fill the memory when values are pasted into their texts', () => {
    let built = 0;
    const cache = new ScriptCache((text) => text + ++built);
    for (let value = 0; value <= 1_000; value++) cache.get(`return ${value}`);
    cache.get('return 0');
    expect(built).toBe(1_002);
  });
});
