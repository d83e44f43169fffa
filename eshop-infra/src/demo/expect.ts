/** What the demo showed is not what it should be. */
export class DemoFailed extends Error {}

/** @throws DemoFailed when it is not so */
export function expect(condition: boolean, what: string): void {
  if (!condition) throw new DemoFailed(`the demo shows something wrong: ${what}`);
}

/** Cents as people write them. */
export const money = (cents: number) => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
