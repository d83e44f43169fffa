import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import type { CodeName } from './codes.js';
import type { HttpBinding } from './http-request.js';
import type { MessageTable } from './table.js';

/** One rpc, as both transports and the documentation need it. */
export interface MethodContract {
  /** Name of the controller's and the client's method, for example `deleteByID`. */
  readonly key: string;
  /** Name of the rpc, for example `DeleteByID`. */
  readonly rpc: string;
  /** gRPC path, for example `/api.stock.v1.stock/DeleteByID`. */
  readonly path: string;
  readonly verb: 'get' | 'post' | 'put' | 'delete';
  /** HTTP path with fields in braces, for example `/api/v1/stock/{id}`. */
  readonly route: string;
  readonly http: HttpBinding;
  /** Called by DTM: belongs to the saga controller. */
  readonly branch: boolean;
  /** Has no side effects, so a client may try again. */
  readonly safe: boolean;
  /** May be repeated under an Idempotency-Key. */
  readonly idempotencyKey: boolean;
  /** Codes with which it refuses, besides the general ones. */
  readonly refusals: readonly CodeName[];
  readonly tag: string;
  /** Swagger's id, `<service>_<Rpc>`. */
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly request: MessageTable;
  readonly reply: MessageTable;
}

/** One service: what is needed to serve it. */
export interface ServiceContract {
  /** Short name, for example `stock`. */
  readonly name: string;
  /** gRPC name, for example `api.stock.v1.stock`. */
  readonly fullName: string;
  readonly package: string;
  /** Title of the Swagger document. */
  readonly title: string;
  /** Default port. */
  readonly httpPort: number;
  /** Default port; null for a service without a gRPC listener. */
  readonly grpcPort: number | null;
  /** For the server: a request that cannot be decoded is refused with INVALID_ARGUMENT. Null without a gRPC listener. */
  readonly definition: ServiceDefinition | null;
  /** Serialized google.protobuf.FileDescriptorProto of the service's file and all it imports, imports first. */
  readonly fileDescriptors: Uint8Array[];
  readonly methods: readonly MethodContract[];
}

/** What ts-proto makes of a message. */
export interface Codec<T> {
  /** Into the writer that is given, or a new one. */
  encode(message: T, writer?: BinaryWriter): { finish(): Uint8Array };
  decode(input: BinaryReader | Uint8Array): T;
}

/**
 * A unary method with static codecs, as grpc-js takes it. A reply may lack fields, which then have their zero value: a
 * branch that is skipped by its barrier answers `{}`.
 */
export function unary<Request, Reply>(
  path: string,
  request: Codec<Request>,
  reply: Codec<Reply>,
): MethodDefinition<Request, Reply> {
  const blank = reply.decode(new Uint8Array());
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: (message) => serialize(request, message),
    requestDeserialize: (bytes) => deserialize(request, bytes),
    responseSerialize: (message) => serialize(reply, { ...blank, ...message }),
    responseDeserialize: (bytes) => deserialize(reply, bytes),
  };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array) => UTF8.decode(bytes);

/**
 * Throws when the bytes are no such message: a text that is not UTF-8 (which the reader would otherwise change into another
 * one), a field that ends elsewhere than it says.
 */
function deserialize<T>(codec: Codec<T>, bytes: Uint8Array): T {
  return codec.decode(new BinaryReader(bytes, decodeUtf8));
}

/** A writer that has grown beyond this many bytes is not kept. */
const KEPT_WRITER = 65_536;
let spare: BinaryWriter | undefined;

/** With one writer for all messages: a new one allocates its buffer anew, two or three times until the message fits. */
function serialize<T>(codec: Codec<T>, message: T): Buffer {
  const writer = spare ?? new BinaryWriter();
  // One that fails half way through a message is not used again.
  spare = undefined;
  const bytes = codec.encode(message, writer).finish();
  if (bytes.byteLength <= KEPT_WRITER) spare = writer;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Decodes the embedded file descriptors when they are first asked for: only reflection needs them. */
export function withFileDescriptors(
  contract: Omit<ServiceContract, 'fileDescriptors'>,
  base64: readonly string[],
): ServiceContract {
  let decoded: Uint8Array[] | undefined;
  return Object.defineProperty({ ...contract } as ServiceContract, 'fileDescriptors', {
    enumerable: true,
    get: () => {
      decoded ??= base64.map((text) => new Uint8Array(Buffer.from(text, 'base64')));
      return decoded;
    },
  });
}
