import { notNow } from '@eshop/nest-dtm/mysql-errors';
import { ContractError } from '@eshop/proto';

interface DriverError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly fatal?: unknown;
  readonly message?: unknown;
  readonly sqlMessage?: unknown;
  readonly sqlState?: unknown;
}

/** Of the driver and of Node, where the server said nothing. */
const TRANSIENT_CODES = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);
const DUPLICATE = new Set([1022, 1062, 1586]);
const TOO_LONG = new Set([1406]);
const OUT_OF_RANGE = new Set([1264, 1690]);
const WRONG_VALUE = new Set([1048, 1265, 1292, 1366, 1411]);

/**
 * The error of the contract that a MySQL driver's error amounts to, or undefined when it is none of the known ones.
 * Carries no SQL; the original is its cause.
 */
export function fromDatabaseError(error: unknown): ContractError | undefined {
  const driver = driverErrorOf(error);
  if (!driver) return undefined;
  const errno = typeof driver.errno === 'number' ? driver.errno : 0;
  const options = { cause: error };
  if (notNow(driver) || driver.fatal === true || TRANSIENT_CODES.has(String(driver.code))) {
    return new ContractError('UNAVAILABLE', 'the database is not available at the moment', options);
  }
  if (DUPLICATE.has(errno)) return new ContractError('ALREADY_EXISTS', undefined, options);
  if (TOO_LONG.has(errno)) return invalid(driver, 'max_len', 'is too long', error);
  if (OUT_OF_RANGE.has(errno)) return invalid(driver, 'range', 'is out of range', error);
  if (WRONG_VALUE.has(errno)) return invalid(driver, 'type', 'has a value that cannot be stored', error);
  return undefined;
}

/** Whether a write failed because its key is taken. */
export function isDuplicateKey(error: unknown): boolean {
  const errno = driverErrorOf(error)?.errno;
  return typeof errno === 'number' && DUPLICATE.has(errno);
}

/** Whether a transaction was undone because it and another waited for each other; it may be tried again. */
export function isDeadlock(error: unknown): boolean {
  return driverErrorOf(error)?.errno === 1213;
}

function driverErrorOf(error: unknown): DriverError | undefined {
  if (!(error instanceof Error)) return undefined;
  const wrapped = (error as { driverError?: unknown }).driverError;
  const driver = (wrapped instanceof Error ? wrapped : error) as DriverError;
  if (typeof driver.sqlState === 'string' || driver.fatal === true) return driver;
  // Socket errors count only from the driver, which names the system call.
  return typeof driver.code === 'string' && TRANSIENT_CODES.has(driver.code) && isSocketError(driver)
    ? driver
    : undefined;
}

function isSocketError(driver: object): boolean {
  return 'syscall' in driver || (driver as DriverError).code === 'PROTOCOL_CONNECTION_LOST';
}

function invalid(driver: DriverError, rule: string, description: string, cause: unknown): ContractError {
  const column = /(?:column|value) '([^']+)'/.exec(String(driver.sqlMessage))?.[1] ?? '';
  return new ContractError('INVALID_PARAMETER', undefined, {
    violations: [{ field: camelCase(column), rule, description }],
    cause,
  });
}

/** `product_id` → `productID`, the way the contract names fields. */
function camelCase(column: string): string {
  const name = /(\w+)`?$/.exec(column)?.[1] ?? '';
  return name.replace(/_id\b/g, 'ID').replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
