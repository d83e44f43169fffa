import { create, createFileRegistry, type FileRegistry, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { stockContract } from '@eshop/proto/stock';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { startTestService, type TestService } from '../src/testing/index.js';
import { AppConfig, AppModule } from './app/app.module.js';
import { rawCall } from './support/raw-call.js';
import { ask, reflect } from './support/reflect.js';

let service: TestService<z.ZodObject>;
beforeAll(async () => {
  service = await startTestService(AppModule, { contract: stockContract, config: AppConfig });
});
afterAll(() => service?.close());

/** A ServerReflectionResponse, read by the description that the server gives of it. */
interface Reply extends Message {
  readonly originalRequest?: Message;
  readonly messageResponse: { readonly case?: string; readonly value?: Record<string, unknown> };
}

const stream = (version: string, questions: Uint8Array[]) => reflect(service.grpcAddress, version, questions);

/** The encoded files of an answer, `fields` 4 then 1 (each length of less than 2^21), read without any description. */
function filesOf(answer: Uint8Array): FileDescriptorProto[] {
  const parts = (bytes: Uint8Array, wanted: number) => {
    const found: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const field = (bytes[at++] ?? 0) >>> 3;
      let length = 0;
      for (let shift = 0, more = true; more; shift += 7) {
        const byte = bytes[at++] ?? 0;
        length |= (byte & 0x7f) << shift;
        more = byte >= 0x80;
      }
      if (field === wanted) found.push(bytes.subarray(at, at + length));
      at += length;
    }
    return found;
  };
  return parts(answer, 4).flatMap((reply) =>
    parts(reply, 1).map((file) => fromBinary(FileDescriptorProtoSchema, file)),
  );
}

/** What a file and all that it imports declare, which must be among those given. */
function registryOf(files: FileDescriptorProto[]): FileRegistry {
  const sorted = new Set<FileDescriptorProto>();
  const add = (file: FileDescriptorProto) => {
    for (const name of file.dependency) for (const each of files) if (each.name === name) add(each);
    sorted.add(file);
  };
  for (const file of files) add(file);
  return createFileRegistry(create(FileDescriptorSetSchema, { file: [...sorted] }));
}

/** All that the server says of a symbol: the first answer suffices, imports are in it. */
async function describeSymbol(name: string, version = 'v1'): Promise<FileRegistry> {
  const [answer = Buffer.of()] = await stream(version, [ask(4, name)]);
  return registryOf(filesOf(answer));
}

async function replies(version: string, questions: Uint8Array[]): Promise<Reply[]> {
  const registry = await describeSymbol(`grpc.reflection.${version}.ServerReflection`, version);
  const schema = registry.getMessage(`grpc.reflection.${version}.ServerReflectionResponse`);
  if (!schema) throw new Error('the response is not described');
  return (await stream(version, questions)).map((answer) => fromBinary(schema, answer) as Reply);
}

async function services(version: string): Promise<string[]> {
  const [reply] = await replies(version, [ask(7, '*')]);
  const list = (reply?.messageResponse.value?.service ?? []) as { name: string }[];
  return list.map(({ name }) => name);
}

describe.each(['v1', 'v1alpha'])('reflection %s', (version) => {
  test('describes every service that it lists, with all methods and their messages', async () => {
    const listed = await services(version);
    expect(listed).toEqual([
      'api.stock.v1.stock',
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
    ]);
    for (const name of listed) {
      const described = (await describeSymbol(name, version)).getService(name);
      expect(described?.methods.length).toBeGreaterThan(0);
      for (const { input, output } of described?.methods ?? []) {
        for (const { typeName } of [input, output]) {
          expect((await describeSymbol(typeName, version)).getMessage(typeName)).toBeDefined();
        }
      }
    }
  });

  test.each([
    'api.stock.v1.stock.Create',
    'api.stock.v1.CreateStockRequest.productID',
    'api.types.Params',
    'grpc.health.v1.HealthCheckResponse.ServingStatus',
    'grpc.health.v1.HealthCheckResponse.SERVING',
    'grpc.reflection.v1.ServerReflectionRequest.message_request',
    'google.api.http',
  ])('finds the file of %s', async (symbol) => {
    const [reply] = await replies(version, [ask(4, symbol)]);
    expect(reply?.messageResponse.case).toBe('fileDescriptorResponse');
    expect(reply?.originalRequest).toMatchObject({ messageRequest: { case: 'fileContainingSymbol', value: symbol } });
  });

  test.each(['grpc/health/v1/health.proto', 'api/stock/v1/stock.proto', 'google/protobuf/descriptor.proto'])(
    'gives the file %s with all that it imports',
    async (name) => {
      const [answer = Buffer.of()] = await stream(version, [ask(3, name)]);
      const files = filesOf(answer);
      expect(files[0]?.name).toBe(name);
      expect(() => registryOf(files)).not.toThrow();
    },
  );

  test('knows extensions', async () => {
    const [numbers, none] = await replies(version, [
      ask(6, 'google.protobuf.MethodOptions'),
      ask(6, 'api.types.Params'),
    ]);
    const http = 72295728;
    expect(numbers?.messageResponse.value?.extensionNumber).toContain(http);
    expect(none?.messageResponse).toMatchObject({
      case: 'allExtensionNumbersResponse',
      value: { baseTypeName: 'api.types.Params', extensionNumber: [] },
    });
    const name = 'google.protobuf.MethodOptions';
    const extension = [10, name.length, ...Buffer.from(name), 16, 0xb0, 0xca, 0xbc, 0x22];
    const [answer = Buffer.of()] = await stream(version, [Buffer.from([42, extension.length, ...extension])]);
    expect(filesOf(answer)[0]?.name).toBe('google/api/annotations.proto');
  });

  test('says that it does not know, and goes on', async () => {
    const unknown = [10, 1, 120, 16, 1];
    const answers = await replies(version, [
      ask(3, 'no.proto'),
      ask(4, 'api.nothing'),
      ask(4, 'api.stock.v1.stock.Nothing'),
      Buffer.from([42, unknown.length, ...unknown]),
      ask(6, 'api.nothing'),
      Buffer.of(),
      Buffer.from([34, 9, 1]),
      Buffer.from([34, 1, 0xff]),
      ask(7, ''),
    ]);
    expect(answers.map(({ messageResponse }) => messageResponse.value?.errorCode)).toEqual([
      ...Array.from({ length: 5 }, () => status.NOT_FOUND),
      status.UNIMPLEMENTED,
      status.INVALID_ARGUMENT,
      status.INVALID_ARGUMENT,
      undefined,
    ]);
  });
});

describe('health', () => {
  test('is as described', async () => {
    const registry = await describeSymbol('grpc.health.v1.Health');
    const health = registry.getService('grpc.health.v1.Health');
    const check = health?.methods.find(({ name }) => name === 'Check');
    if (!check) throw new Error('Check is not described');
    const request = toBinary(
      check.input,
      create(check.input, { service: 'api.stock.v1.stock' } as Record<string, unknown>),
    );
    const { reply } = await rawCall(service.grpcAddress, '/grpc.health.v1.Health/Check', request);
    const values = registry.getEnum('grpc.health.v1.HealthCheckResponse.ServingStatus')?.value;
    const answer = fromBinary(check.output, reply ?? Buffer.of()) as Message & { status: number };
    expect(values?.[answer.status]?.name).toBe('SERVING');
    expect(health?.methods.map(({ name, methodKind }) => [name, methodKind])).toEqual([
      ['Check', 'unary'],
      ['Watch', 'server_streaming'],
    ]);
  });

  test.each([
    ['no message', Buffer.of(10)],
    ['no UTF-8', Buffer.of(10, 1, 0xff)],
  ])('refuses a request that is %s', async (_what, bytes) => {
    for (const rpc of ['Check', 'Watch']) {
      const { error } = await rawCall(service.grpcAddress, `/grpc.health.v1.Health/${rpc}`, bytes);
      expect(error?.code).toBe(status.INVALID_ARGUMENT);
    }
  });
});
