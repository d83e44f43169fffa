/**
 * Runs something until a signal gives it up. Then `abandon` sees to it that what still runs has no effect, and this rejects with the
 * signal's reason at once.
 */
export function orAbandon<T>(
  signal: AbortSignal | undefined,
  run: () => Promise<T>,
  abandon: (reason: unknown) => void,
): Promise<T> {
  if (!signal) return run();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const giveUp = (): void => {
    abandon(signal.reason);
    reject(signal.reason);
  };
  if (signal.aborted) giveUp();
  else {
    signal.addEventListener('abort', giveUp, { once: true });
    run()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', giveUp));
  }
  return promise;
}
