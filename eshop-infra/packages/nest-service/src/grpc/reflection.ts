import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import type { ServiceContract } from '@eshop/proto';
import { type Server, type ServerDuplexStream, type ServiceDefinition, status } from '@grpc/grpc-js';
import type { DescriptorIndex } from './descriptor-index.js';

/** Fields of ServerReflectionRequest, of which one is set. */
const FILE_BY_NAME = 3;
const FILE_OF_SYMBOL = 4;
const FILE_OF_EXTENSION = 5;
const EXTENSION_NUMBERS = 6;
const LIST_SERVICES = 7;
/** Fields of ServerReflectionResponse, of which one is set. */
const FILES = 4;
const NUMBERS = 5;
const SERVICES = 6;
const ERROR = 7;

const VERSIONS = ['v1', 'v1alpha'] as const;

interface Request {
  readonly bytes: Uint8Array;
  /** Number of the field that asks; 0 when there is none that is known, undefined when the bytes are no request. */
  readonly question: number | undefined;
  /** A name. */
  readonly text: string;
  /** The extension that is asked for. */
  readonly number: number;
}

/** Serves the reflection protocol (v1 and v1alpha are the same on the wire), for grpcurl and the like. */
export function addReflection(server: Server, contract: ServiceContract): void {
  const services = [
    contract.fullName,
    'grpc.health.v1.Health',
    ...VERSIONS.map((version) => `grpc.reflection.${version}.ServerReflection`),
  ];
  let loading: Promise<DescriptorIndex> | undefined;
  const load = () => {
    loading ??= loadIndex(contract);
    return loading;
  };
  for (const version of VERSIONS) {
    const definition = {
      serverReflectionInfo: {
        path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
        requestStream: true,
        responseStream: true,
        requestSerialize: (request: Request) => Buffer.from(request.bytes),
        requestDeserialize: readRequest,
        responseSerialize: (response: Buffer) => response,
        responseDeserialize: (bytes: Buffer) => bytes,
      },
    } satisfies ServiceDefinition;
    server.addService(definition, {
      serverReflectionInfo: async (call: ServerDuplexStream<Request, Buffer>) => {
        try {
          const index = await load();
          for await (const request of call) call.write(answer(request, index, services));
          call.end();
        } catch (error) {
          call.destroy(error as Error);
        }
      },
    });
  }
}

/** Only who looks in needs the descriptors and what reads them. */
async function loadIndex(contract: ServiceContract): Promise<DescriptorIndex> {
  const [{ DescriptorIndex }, { standardFiles }] = await Promise.all([
    import('./descriptor-index.js'),
    import('./standard-files.js'),
  ]);
  return new DescriptorIndex([...contract.fileDescriptors, ...standardFiles()]);
}

function answer(request: Request, index: DescriptorIndex, services: readonly string[]): Buffer {
  const { question, text, number } = request;
  const found = (files: Uint8Array[] | undefined) =>
    files ? respond(request, FILES, listOf(files)) : fail(request, status.NOT_FOUND, `${text} is not served here`);
  switch (question) {
    case FILE_BY_NAME:
      return found(index.byName(text));
    case FILE_OF_SYMBOL:
      return found(index.bySymbol(text));
    case FILE_OF_EXTENSION:
      return found(index.byExtension(text, number));
    case EXTENSION_NUMBERS: {
      const numbers = index.extensionNumbers(text);
      if (!numbers) return found(undefined);
      const reply = new BinaryWriter().uint32(10).string(text).uint32(18).fork();
      for (const each of numbers) reply.int32(each);
      return respond(request, NUMBERS, reply.join().finish());
    }
    case LIST_SERVICES:
      return respond(
        request,
        SERVICES,
        listOf(services.map((name) => new BinaryWriter().uint32(10).string(name).finish())),
      );
    case undefined:
      return fail(request, status.INVALID_ARGUMENT, 'the bytes are no ServerReflectionRequest');
    default:
      return fail(request, status.UNIMPLEMENTED, 'nothing is asked that is known here');
  }
}

/** ServerReflectionResponse { original_request = 2, and one of the answers }. */
function respond(request: Request, field: number, reply: Uint8Array): Buffer {
  const response = new BinaryWriter();
  // What could not be read would spoil the answer.
  if (request.question !== undefined) response.uint32(18).bytes(request.bytes);
  return Buffer.from(
    response
      .uint32((field << 3) | 2)
      .bytes(reply)
      .finish(),
  );
}

function fail(request: Request, code: status, message: string): Buffer {
  return respond(request, ERROR, new BinaryWriter().uint32(8).int32(code).uint32(18).string(message).finish());
}

/** A message whose field 1 is repeated. */
function listOf(entries: readonly Uint8Array[]): Uint8Array {
  const list = new BinaryWriter();
  for (const entry of entries) list.uint32(10).bytes(entry);
  return list.finish();
}

function readRequest(bytes: Buffer): Request {
  let request: Request = { bytes, question: 0, text: '', number: 0 };
  try {
    eachField(bytes, (field, wireType, reader) => {
      if (field < FILE_BY_NAME || field > LIST_SERVICES || wireType !== 2) reader.skip(wireType, field);
      else if (field === FILE_OF_EXTENSION) request = { bytes, question: field, ...readExtension(reader.bytes()) };
      else request = { bytes, question: field, text: reader.string(true), number: 0 };
    });
    return request;
  } catch {
    return { bytes, question: undefined, text: '', number: 0 };
  }
}

/** ExtensionRequest { string containing_type = 1, int32 extension_number = 2 }. */
function readExtension(bytes: Uint8Array): Pick<Request, 'text' | 'number'> {
  let text = '';
  let number = 0;
  eachField(bytes, (field, wireType, reader) => {
    if (field === 1 && wireType === 2) text = reader.string(true);
    else if (field === 2 && wireType === 0) number = reader.int32();
    else reader.skip(wireType, field);
  });
  return { text, number };
}

function eachField(bytes: Uint8Array, take: (field: number, wireType: number, reader: BinaryReader) => void): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) take(...reader.tag(), reader);
}
