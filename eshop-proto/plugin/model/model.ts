import { type DescFile, type DescMessage, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { Schema } from '@bufbuild/protoplugin';
import { commentOf } from './comment.ts';
import { type FieldModel, readField } from './field.ts';
import { OptionReader } from './options.ts';
import { readService, type ServiceModel } from './service.ts';

export interface MessageModel {
  readonly name: string;
  readonly fullName: string;
  readonly description: string;
  readonly fields: readonly FieldModel[];
  /** Travels as JSON outside rpcs. */
  readonly record: boolean;
}

export interface FileModel {
  readonly desc: DescFile;
  /** Path without `.proto`. */
  readonly path: string;
  readonly messages: readonly MessageModel[];
  readonly service?: ServiceModel;
  /** Where each message that is used here is declared: full name → path of the file without `.proto`. */
  readonly pathOf: ReadonlyMap<string, string>;
  /** The file and all it imports, imports first, as serialized FileDescriptorProto in base64. */
  readonly descriptors: () => string[];
}

export interface CodeModel {
  readonly name: string;
  readonly code: number;
  readonly httpStatus: number;
  readonly grpcStatus: number;
  readonly msg: string;
  readonly description: string;
}

export interface Model {
  readonly codes: readonly CodeModel[];
  readonly files: readonly FileModel[];
}

const CODE_ENUM = 'eshop.v1.Code';

function readCodes(schema: Schema, options: OptionReader): CodeModel[] {
  const desc = schema.allFiles.flatMap((file) => file.enums).find((candidate) => candidate.typeName === CODE_ENUM);
  return (desc?.values ?? []).map((value) => {
    const info = options.ofEnumValue(value)['[eshop.v1.code]'];
    if (!info) throw new Error(`${value}: option (eshop.v1.code) is required`);
    return {
      name: value.name.replace(/^CODE_/, ''),
      code: value.number,
      httpStatus: info.http,
      grpcStatus: info.grpc ?? 0,
      msg: info.msg,
      description: commentOf(value),
    };
  });
}

function readMessage(options: OptionReader, desc: DescMessage): MessageModel {
  if (desc.nestedMessages.length > 0) throw new Error(`${desc}: nested messages are not supported`);
  return {
    name: desc.name,
    fullName: desc.typeName,
    description: commentOf(desc),
    fields: desc.fields.map((field) => readField(options, field)),
    record: options.ofMessage(desc)['[eshop.v1.record]'] === true,
  };
}

function withImports(file: DescFile, seen = new Set<DescFile>()): Set<DescFile> {
  for (const dependency of file.dependencies) withImports(dependency, seen);
  return seen.add(file);
}

function serialize(file: DescFile): string {
  const bytes = toBinary(FileDescriptorProtoSchema, { ...file.proto, sourceCodeInfo: undefined });
  return Buffer.from(bytes).toString('base64');
}

function readFile(options: OptionReader, desc: DescFile): FileModel {
  if (desc.services.length > 1) throw new Error(`${desc}: more than one service in a file`);
  const [service] = desc.services;
  const all = withImports(desc);
  return {
    desc,
    path: desc.name,
    messages: desc.messages.map((message) => readMessage(options, message)),
    service: service && readService(options, service),
    pathOf: new Map([...all].flatMap((file) => file.messages.map((message) => [message.typeName, file.name] as const))),
    descriptors: () => [...all].map(serialize),
  };
}

export function readModel(schema: Schema): Model {
  const options = new OptionReader(schema);
  return {
    codes: readCodes(schema, options),
    files: schema.files.map((file) => readFile(options, file)),
  };
}
