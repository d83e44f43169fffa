import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  type FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';

type Field = MessageInitShape<typeof FieldDescriptorProtoSchema>;

/**
 * Encoded FileDescriptorProtos of the services that gRPC itself defines and every server here has: health and reflection, with the names,
 * numbers and file names of https://github.com/grpc/grpc-proto.
 */
export function standardFiles(): Uint8Array[] {
  return [health(), reflection('v1'), reflection('v1alpha')].map((file) => toBinary(FileDescriptorProtoSchema, file));
}

function health() {
  const name = 'grpc.health.v1';
  return create(FileDescriptorProtoSchema, {
    name: 'grpc/health/v1/health.proto',
    package: name,
    syntax: 'proto3',
    messageType: [
      { name: 'HealthCheckRequest', field: [field(1, 'service', Type.STRING)] },
      {
        name: 'HealthCheckResponse',
        field: [{ ...field(1, 'status', Type.ENUM), typeName: `.${name}.HealthCheckResponse.ServingStatus` }],
        enumType: [
          {
            name: 'ServingStatus',
            value: ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'].map((value, number) => ({
              name: value,
              number,
            })),
          },
        ],
      },
    ],
    service: [
      {
        name: 'Health',
        method: ['Check', 'Watch'].map((rpc) => ({
          name: rpc,
          inputType: `.${name}.HealthCheckRequest`,
          outputType: `.${name}.HealthCheckResponse`,
          serverStreaming: rpc === 'Watch',
        })),
      },
    ],
  });
}

/** Both versions have the same messages. */
function reflection(version: 'v1' | 'v1alpha') {
  const name = `grpc.reflection.${version}`;
  const message = (number: number, field: string, type: string) => ({
    ...one(number, field, Type.MESSAGE),
    typeName: `.${name}.${type}`,
  });
  return create(FileDescriptorProtoSchema, {
    name: `grpc/reflection/${version}/reflection.proto`,
    package: name,
    syntax: 'proto3',
    messageType: [
      {
        name: 'ServerReflectionRequest',
        field: [
          field(1, 'host', Type.STRING),
          one(3, 'file_by_filename', Type.STRING),
          one(4, 'file_containing_symbol', Type.STRING),
          message(5, 'file_containing_extension', 'ExtensionRequest'),
          one(6, 'all_extension_numbers_of_type', Type.STRING),
          one(7, 'list_services', Type.STRING),
        ],
        oneofDecl: [{ name: 'message_request' }],
      },
      {
        name: 'ExtensionRequest',
        field: [field(1, 'containing_type', Type.STRING), field(2, 'extension_number', Type.INT32)],
      },
      {
        name: 'ServerReflectionResponse',
        field: [
          field(1, 'valid_host', Type.STRING),
          { ...field(2, 'original_request', Type.MESSAGE), typeName: `.${name}.ServerReflectionRequest` },
          message(4, 'file_descriptor_response', 'FileDescriptorResponse'),
          message(5, 'all_extension_numbers_response', 'ExtensionNumberResponse'),
          message(6, 'list_services_response', 'ListServiceResponse'),
          message(7, 'error_response', 'ErrorResponse'),
        ],
        oneofDecl: [{ name: 'message_response' }],
      },
      { name: 'FileDescriptorResponse', field: [repeated(field(1, 'file_descriptor_proto', Type.BYTES))] },
      {
        name: 'ExtensionNumberResponse',
        field: [field(1, 'base_type_name', Type.STRING), repeated(field(2, 'extension_number', Type.INT32))],
      },
      {
        name: 'ListServiceResponse',
        field: [repeated({ ...field(1, 'service', Type.MESSAGE), typeName: `.${name}.ServiceResponse` })],
      },
      { name: 'ServiceResponse', field: [field(1, 'name', Type.STRING)] },
      {
        name: 'ErrorResponse',
        field: [field(1, 'error_code', Type.INT32), field(2, 'error_message', Type.STRING)],
      },
    ],
    service: [
      {
        name: 'ServerReflection',
        method: [
          {
            name: 'ServerReflectionInfo',
            inputType: `.${name}.ServerReflectionRequest`,
            outputType: `.${name}.ServerReflectionResponse`,
            clientStreaming: true,
            serverStreaming: true,
          },
        ],
      },
    ],
  });
}

const field = (number: number, name: string, type: Type) => ({ number, name, type, label: Label.OPTIONAL });
/** A field of the message's only oneof. */
const one = (number: number, name: string, type: Type) => ({ ...field(number, name, type), oneofIndex: 0 });
const repeated = (of: Field) => ({ ...of, label: Label.REPEATED });
