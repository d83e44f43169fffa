import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { DtmBranchRequest, DtmRequest, DtmTransOptions } from './dtm-request.js';

const LENGTH_DELIMITED = 2;
const tag = (field: number, wireType: 0 | 2): number => (field << 3) | wireType;

/** Serializes `dtmgimp.DtmRequest` (dtmgimp.proto of DTM 1.18). Written by hand: a few messages do not justify a generator. */
export function encodeDtmRequest(request: DtmRequest): Buffer {
  const writer = new BinaryWriter();
  text(writer, 1, request.gid);
  text(writer, 2, request.transType);
  writer.uint32(tag(3, LENGTH_DELIMITED)).fork();
  encodeTransOptions(writer, request.transOptions);
  writer.join();
  text(writer, 4, request.customedData);
  for (const payload of request.payloads) writer.uint32(tag(5, LENGTH_DELIMITED)).bytes(payload);
  text(writer, 6, request.queryPrepared);
  if (request.steps.length > 0) text(writer, 7, JSON.stringify(request.steps));
  map(writer, 8, request.reqExtra);
  text(writer, 9, request.rollbackReason);
  return Buffer.from(writer.finish());
}

/** Serializes `dtmgimp.DtmBranchRequest`. */
export function encodeDtmBranchRequest(request: DtmBranchRequest): Buffer {
  const writer = new BinaryWriter();
  text(writer, 1, request.gid);
  text(writer, 2, request.transType);
  text(writer, 3, request.branchId);
  text(writer, 4, request.op);
  map(writer, 5, request.data);
  if (request.payload.length > 0) writer.uint32(tag(6, LENGTH_DELIMITED)).bytes(request.payload);
  return Buffer.from(writer.finish());
}

function encodeTransOptions(writer: BinaryWriter, options: DtmTransOptions): void {
  if (options.waitResult) writer.uint32(tag(1, 0)).bool(true);
  if (options.timeoutToFail) writer.uint32(tag(2, 0)).int64(options.timeoutToFail);
  if (options.retryInterval) writer.uint32(tag(3, 0)).int64(options.retryInterval);
  map(writer, 5, options.branchHeaders);
  if (options.requestTimeout) writer.uint32(tag(6, 0)).int64(options.requestTimeout);
  if (options.retryLimit) writer.uint32(tag(7, 0)).int64(options.retryLimit);
}

function text(writer: BinaryWriter, field: number, value: string | undefined): void {
  if (value) writer.uint32(tag(field, LENGTH_DELIMITED)).string(value);
}

function map(writer: BinaryWriter, field: number, values: Readonly<Record<string, string>> | undefined): void {
  for (const key in values) {
    writer.uint32(tag(field, LENGTH_DELIMITED)).fork();
    text(writer, 1, key);
    text(writer, 2, values[key]);
    writer.join();
  }
}
