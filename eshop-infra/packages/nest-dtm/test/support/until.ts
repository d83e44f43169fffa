/** Waits until `probe` gives a truthy value, and returns it. */
export async function until<T>(
  what: string,
  probe: () => Promise<T> | T,
  ms = 25_000,
): Promise<Exclude<T, null | undefined | false | 0 | ''>> {
  const end = performance.now() + ms;
  for (;;) {
    const value = await probe();
    if (value) return value as Exclude<T, null | undefined | false | 0 | ''>;
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A promise and the function that fulfils it. */
export function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}
