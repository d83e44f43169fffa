import { stdSerializers } from 'pino';

/** Parts of database errors that repeat the values of a statement. */
const HIDDEN = ['sql', 'query', 'parameters', 'driverError'];

/** An error for the log, without the values that a client sent. */
export function serializeError(error: Error): object {
  const { raw: _, ...shown } = stdSerializers.err(error);
  return Object.fromEntries(Object.entries(shown).filter(([key]) => !HIDDEN.includes(key)));
}
