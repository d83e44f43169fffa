import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import type { Violation } from '@eshop/proto';

/** Metadata key of the encoded google.rpc.Status. */
export const DETAILS_KEY = 'grpc-status-details-bin';
const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';
/** Trailers share the 8 KiB that most gRPC clients accept; what does not fit is left out. */
const VIOLATIONS_LIMIT = 4096;

/** The parts of google.rpc.Status in use: ErrorInfo and BadRequest. */
export interface StatusDetails {
  readonly code: number;
  readonly message: string;
  /** ErrorInfo.reason: the name of the contract's code. */
  readonly reason: string;
  /** ErrorInfo.domain: the service that found the error. */
  readonly domain: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly Violation[];
}

/** google.rpc.Status in binary. */
export function encodeDetails(details: StatusDetails): Buffer {
  const status = new BinaryWriter().uint32(8).int32(details.code).uint32(18).string(details.message);
  status.uint32(26).bytes(any(ERROR_INFO, encodeErrorInfo(details)));
  if (details.violations.length > 0) status.uint32(26).bytes(any(BAD_REQUEST, encodeBadRequest(details.violations)));
  return Buffer.from(status.finish());
}

/** @returns undefined when it is no google.rpc.Status with an ErrorInfo */
export function decodeDetails(bytes: Uint8Array): StatusDetails | undefined {
  let code = 0;
  let message = '';
  let info: { reason: string; domain: string; metadata: Record<string, string> } | undefined;
  const violations: Violation[] = [];
  try {
    eachField(bytes, (field, reader) => {
      if (field === 1) code = reader.int32();
      else if (field === 2) message = reader.string();
      else if (field === 3) {
        const { type, value } = decodeAny(reader.bytes());
        if (type === ERROR_INFO) info = decodeErrorInfo(value);
        else if (type === BAD_REQUEST) violations.push(...decodeBadRequest(value));
      } else return false;
      return true;
    });
  } catch {
    // Anyone may put anything into this trailer; without it the status alone counts.
    return undefined;
  }
  return info && { code, message, ...info, violations };
}

function any(type: string, value: Uint8Array): Uint8Array {
  return new BinaryWriter().uint32(10).string(type).uint32(18).bytes(value).finish();
}

function encodeErrorInfo(details: StatusDetails): Uint8Array {
  const info = new BinaryWriter().uint32(10).string(details.reason).uint32(18).string(details.domain);
  for (const [key, value] of Object.entries(details.metadata)) {
    info.uint32(26).fork().uint32(10).string(key).uint32(18).string(value).join();
  }
  return info.finish();
}

function encodeBadRequest(violations: readonly Violation[]): Uint8Array {
  const request = new BinaryWriter();
  let size = 0;
  for (const violation of violations) {
    const field = new BinaryWriter()
      .uint32(10)
      .string(violation.field)
      .uint32(18)
      .string(violation.description)
      .uint32(26)
      .string(violation.rule)
      .finish();
    size += field.length;
    if (size > VIOLATIONS_LIMIT) break;
    request.uint32(10).bytes(field);
  }
  return request.finish();
}

function decodeAny(bytes: Uint8Array): { type: string; value: Uint8Array } {
  let type = '';
  let value: Uint8Array = new Uint8Array();
  eachField(bytes, (field, reader) => {
    if (field === 1) type = reader.string();
    else if (field === 2) value = reader.bytes();
    else return false;
    return true;
  });
  return { type, value };
}

function decodeErrorInfo(bytes: Uint8Array) {
  const info = { reason: '', domain: '', metadata: {} as Record<string, string> };
  eachField(bytes, (field, reader) => {
    if (field === 1) info.reason = reader.string();
    else if (field === 2) info.domain = reader.string();
    else if (field === 3) {
      const [key = '', value = ''] = decodeStrings(reader.bytes(), 2);
      info.metadata[key] = value;
    } else return false;
    return true;
  });
  return info;
}

function decodeBadRequest(bytes: Uint8Array): Violation[] {
  const violations: Violation[] = [];
  eachField(bytes, (field, reader) => {
    if (field !== 1) return false;
    const [name = '', description = '', rule = ''] = decodeStrings(reader.bytes(), 3);
    violations.push({ field: name, rule, description });
    return true;
  });
  return violations;
}

/** A message whose fields 1…count are strings. */
function decodeStrings(bytes: Uint8Array, count: number): string[] {
  const strings: string[] = [];
  eachField(bytes, (field, reader) => {
    if (field > count) return false;
    strings[field - 1] = reader.string();
    return true;
  });
  return strings;
}

function eachField(bytes: Uint8Array, take: (field: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (!take(field, reader)) reader.skip(wireType, field);
  }
}
