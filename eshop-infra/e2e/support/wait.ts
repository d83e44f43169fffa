import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again and again, until there is an answer; throws when there is none within `timeoutMs`. */
export async function eventually<T>(ask: () => Promise<T | undefined>, what: string, timeoutMs = 60_000): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (let pause = 20; ; pause = Math.min(pause * 2, 500)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await sleep(pause);
  }
}
