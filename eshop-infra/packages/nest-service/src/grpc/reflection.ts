import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import type { ServiceContract } from '@eshop/proto';
import { type Server, type ServerDuplexStream, type ServiceDefinition, status } from '@grpc/grpc-js';
import { type DescriptorIndex, indexDescriptors } from './descriptor-index.js';

interface Request {
  readonly bytes: Uint8Array;
  /** Field number of the question: 3 file by name, 4 file of a symbol, 7 list of services. */
  readonly question: number;
  readonly text: string;
}

/** Serves the reflection protocol (v1 and v1alpha are the same on the wire), for grpcurl and the like. */
export function addReflection(server: Server, contract: ServiceContract): void {
  let built: DescriptorIndex | undefined;
  const index = () => {
    built ??= indexDescriptors(contract.fileDescriptors);
    return built;
  };
  const answer = (request: Request): Buffer => {
    if (request.question === 7) return respond(request, 6, listOf([contract.fullName, 'grpc.health.v1.Health']));
    const file =
      request.question === 3
        ? index().files.get(request.text)
        : request.question === 4
          ? index().fileOfSymbol(request.text)
          : undefined;
    if (file) return respond(request, 4, new BinaryWriter().uint32(10).bytes(file).finish());
    const code = request.question === 3 || request.question === 4 ? status.NOT_FOUND : status.UNIMPLEMENTED;
    return respond(request, 7, new BinaryWriter().uint32(8).int32(code).uint32(18).string(request.text).finish());
  };
  for (const version of ['v1', 'v1alpha']) {
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
      serverReflectionInfo: (call: ServerDuplexStream<Request, Buffer>) => {
        call.on('data', (request: Request) => call.write(answer(request)));
        call.on('end', () => call.end());
      },
    });
  }
}

/** ServerReflectionResponse { original_request = 2, and one of file_descriptor 4, services 6, error 7 }. */
function respond(request: Request, field: number, answer: Uint8Array): Buffer {
  return Buffer.from(
    new BinaryWriter()
      .uint32(18)
      .bytes(request.bytes)
      .uint32((field << 3) | 2)
      .bytes(answer)
      .finish(),
  );
}

function listOf(services: readonly string[]): Uint8Array {
  const list = new BinaryWriter();
  for (const name of services) list.uint32(10).fork().uint32(10).string(name).join();
  return list.finish();
}

function readRequest(bytes: Buffer): Request {
  let question = 0;
  let text = '';
  try {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (field === 3 || field === 4 || field === 7) {
        question = field;
        text = reader.string();
      } else reader.skip(wireType, field);
    }
  } catch {
    // Answered as a question that is not known.
    question = 0;
  }
  return { bytes, question, text };
}
