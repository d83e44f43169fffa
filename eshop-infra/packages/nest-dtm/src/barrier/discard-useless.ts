import type { Pool, PoolConnection } from 'mysql2';
import { type DriverError, notNow } from '../mysql-errors.js';

/** What is used of a command that a connection is given. */
interface Command {
  /** Its callback; without one it tells errors by the event `error`. */
  onResult?: (error: unknown, ...results: unknown[]) => unknown;
  emit(event: string, ...args: unknown[]): boolean;
}

/** The one way by which mysql2 sends every command of a connection: queries, prepared ones, pings. */
interface CommandQueue {
  addCommand(command: Command): Command;
}

/** How often a pool's connections may come under suspicion, milliseconds: readers of a server that stays read-only keep theirs. */
const SUSPECT_EVERY_MS = 1_000;

/** What is known of a pool's connections. */
class Suspicion {
  readonly #seen = new WeakMap<PoolConnection, { since: number; useless: boolean }>();
  /** Connections made before this moment, by `performance.now()`, may be to a server that takes no writes. */
  #before = Number.NEGATIVE_INFINITY;

  /** Looks from now on at what comes back on a connection, and at its being given back. */
  watch(connection: PoolConnection): void {
    if (this.#seen.has(connection)) return;
    const state = { since: performance.now(), useless: false };
    this.#seen.set(connection, state);
    watchErrors(connection, (error) => {
      const says = notNow(error);
      if (says === 'lost' || says === 'wrong-server') state.useless = true;
      if (says === 'wrong-server') this.suspect();
    });
    const release = connection.release.bind(connection);
    connection.release = () => (this.isUseless(connection) ? connection.destroy() : release());
  }

  suspect(): void {
    const now = performance.now();
    if (now - this.#before >= SUSPECT_EVERY_MS) this.#before = now;
  }

  isUseless(connection: PoolConnection): boolean {
    const state = this.#seen.get(connection);
    return state !== undefined && (state.useless || state.since <= this.#before);
  }
}

const suspicions = new WeakMap<Pool, Suspicion>();

/**
 * Has a pool throw a connection away, instead of lending it again, on which an error came that says that it is of no use (`lost` and
 * `wrong-server` of the list of errors), whichever way the statement was sent. When a server proves to take no writes, all other
 * connections that were made until then go as well: what stands under the pool's name may be another server by now.
 */
export function discardUseless(pool: Pool): void {
  if (suspicions.has(pool)) return;
  const suspicion = new Suspicion();
  suspicions.set(pool, suspicion);
  const getConnection = pool.getConnection.bind(pool);
  const lend: Pool['getConnection'] = (acquired) =>
    getConnection((error, connection) => {
      if (error) return acquired(error, connection);
      suspicion.watch(connection);
      if (!suspicion.isUseless(connection)) return acquired(error, connection);
      connection.destroy();
      lend(acquired);
    });
  pool.getConnection = lend;
}

/** For who finds out by himself that the server takes no writes: the pool's connections go when next given back or asked for. */
export function suspectConnections(pool: Pool): void {
  suspicions.get(pool)?.suspect();
}

function watchErrors(connection: PoolConnection, see: (error: DriverError) => void): void {
  const queue = connection as unknown as CommandQueue;
  const add = queue.addCommand.bind(connection);
  queue.addCommand = (command) => {
    const { onResult } = command;
    if (onResult) {
      command.onResult = function (error, ...results) {
        if (error) see(error);
        return onResult.call(this, error, ...results);
      };
    } else {
      const emit = command.emit.bind(command);
      command.emit = (event, ...args) => {
        if (event === 'error') see(args[0] as DriverError);
        return emit(event, ...args);
      };
    }
    return add(command);
  };
}
