import { isUtf8 } from 'node:buffer';
import { types } from 'node:util';
import { DtmInvalidOption } from '../errors.js';
import type { BranchMethod } from './branch-method.js';
import { assertMethod } from './compensable.js';
import type { TransactionContext } from './transaction-context.js';

/** Column sizes of DTM's store; it rejects or cuts what is larger. */
const MAX_PAYLOAD_BYTES = 65_535;
export const MAX_URL = 1_024;

/** The address DTM calls for a method: `host:port/package.Service/Method`, or the URL of an HTTP branch. */
export function branchUrl(
  method: BranchMethod<never>,
  field: string,
  gid: string,
  { branches }: Pick<TransactionContext, 'branches'>,
): string {
  assertMethod(method, field, gid);
  const url = 'url' in method ? method.url : grpcUrl(method.path, field, gid, branches);
  if ('url' in method && !(/^https?:\/\/[^\s/]/.test(url) && URL.canParse(url)))
    throw new DtmInvalidOption(field, `must be an http:// address, is "${url}"`);
  if (url.length > MAX_URL) throw new DtmInvalidOption(field, `longer than ${MAX_URL} characters`);
  return url;
}

/** A payload as DTM keeps and sends it. */
export function branchPayload<Request>(
  method: Pick<BranchMethod<Request>, 'requestSerialize'>,
  payload: Request,
  field: string,
  gid: string,
  { server }: Pick<TransactionContext, 'server'>,
): Uint8Array {
  const bytes = serialize(method, payload, field, gid);
  if (bytes.length > MAX_PAYLOAD_BYTES)
    throw new DtmInvalidOption(field, `${bytes.length} bytes, at most ${MAX_PAYLOAD_BYTES}`, { gid });
  if (server.protocol === 'http' && !isUtf8(bytes))
    throw new DtmInvalidOption(field, "is no text, which a server with protocol 'http' cannot be given", { gid });
  return bytes;
}

/**
 * A payload as its method's codec makes it.
 *
 * @throws {DtmInvalidOption} it is undefined, or the codec cannot carry it
 */
export function serialize<Request>(
  method: Pick<BranchMethod<Request>, 'requestSerialize'>,
  payload: Request,
  field: string,
  gid: string,
): Uint8Array {
  if (payload === undefined) throw new DtmInvalidOption(field, 'is undefined', { gid });
  let bytes: Uint8Array;
  try {
    bytes = method.requestSerialize(payload);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new DtmInvalidOption(field, `cannot be serialized: ${problem}`, { gid, cause });
  }
  if (!types.isUint8Array(bytes)) throw new DtmInvalidOption(field, 'its codec gives no bytes', { gid });
  return bytes;
}

function grpcUrl(path: string, field: string, gid: string, branches: Readonly<Record<string, string>>): string {
  const service = path.split('/')[1] ?? '';
  const address = branches[service];
  if (!address) throw new DtmInvalidOption(field, `no address of "${service}" in the module's branches`, { gid });
  return address + path;
}
