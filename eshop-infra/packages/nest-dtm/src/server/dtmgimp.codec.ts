import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** The part of `dtmgimp.DtmTransOptions` in use (dtmgimp.proto of DTM 1.18). Times in seconds. */
export interface DtmTransOptions {
  waitResult?: boolean;
  timeoutToFail?: number;
  retryInterval?: number;
  branchHeaders?: Record<string, string>;
  requestTimeout?: number;
  retryLimit?: number;
}

/** The part of `dtmgimp.DtmRequest` in use. */
export interface DtmRequest {
  gid: string;
  transType: string;
  transOptions: DtmTransOptions;
  customedData: string;
  binPayloads: readonly Uint8Array[];
  /** JSON text: `[{"action":URL,"compensate":URL},…]` */
  steps: string;
}

const LENGTH_DELIMITED = 2;
const tag = (field: number, wireType: 0 | 2): number => (field << 3) | wireType;

/** Serializes `dtmgimp.DtmRequest`. Written by hand: two messages do not justify a generator. */
export function encodeDtmRequest(request: DtmRequest): Buffer {
  const writer = new BinaryWriter();
  writer.uint32(tag(1, LENGTH_DELIMITED)).string(request.gid);
  writer.uint32(tag(2, LENGTH_DELIMITED)).string(request.transType);
  writer.uint32(tag(3, LENGTH_DELIMITED)).fork();
  encodeTransOptions(writer, request.transOptions);
  writer.join();
  if (request.customedData !== '') writer.uint32(tag(4, LENGTH_DELIMITED)).string(request.customedData);
  for (const payload of request.binPayloads) writer.uint32(tag(5, LENGTH_DELIMITED)).bytes(payload);
  writer.uint32(tag(7, LENGTH_DELIMITED)).string(request.steps);
  return Buffer.from(writer.finish());
}

function encodeTransOptions(writer: BinaryWriter, options: DtmTransOptions): void {
  if (options.waitResult) writer.uint32(tag(1, 0)).bool(true);
  if (options.timeoutToFail) writer.uint32(tag(2, 0)).int64(options.timeoutToFail);
  if (options.retryInterval) writer.uint32(tag(3, 0)).int64(options.retryInterval);
  for (const [key, value] of Object.entries(options.branchHeaders ?? {})) {
    writer.uint32(tag(5, LENGTH_DELIMITED)).fork();
    writer.uint32(tag(1, LENGTH_DELIMITED)).string(key);
    writer.uint32(tag(2, LENGTH_DELIMITED)).string(value);
    writer.join();
  }
  if (options.requestTimeout) writer.uint32(tag(6, 0)).int64(options.requestTimeout);
  if (options.retryLimit) writer.uint32(tag(7, 0)).int64(options.retryLimit);
}
