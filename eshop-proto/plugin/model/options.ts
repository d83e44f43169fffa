import type { DescEnumValue } from '@bufbuild/protobuf';
import {
  createRegistry,
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescService,
  type Registry,
  toJson,
} from '@bufbuild/protobuf';
import {
  EnumValueOptionsSchema,
  FieldOptionsSchema,
  MessageOptionsSchema,
  MethodOptionsSchema,
  ServiceOptionsSchema,
} from '@bufbuild/protobuf/wkt';
import type { Schema } from '@bufbuild/protoplugin';

/** buf.validate.FieldRules as protobuf JSON: 64-bit numbers are texts. */
export interface FieldRulesJson {
  required?: boolean;
  ignore?: string;
  int32?: NumberRulesJson;
  int64?: NumberRulesJson;
  uint32?: NumberRulesJson;
  uint64?: NumberRulesJson;
  string?: { minLen?: string; maxLen?: string; pattern?: string; in?: string[]; email?: boolean };
  repeated?: { minItems?: string; maxItems?: string };
}

export interface NumberRulesJson {
  lt?: number | string;
  lte?: number | string;
  gt?: number | string;
  gte?: number | string;
  in?: (number | string)[];
}

export interface FieldOptionsJson {
  '[buf.validate.field]'?: FieldRulesJson;
  '[eshop.v1.column]'?: { name: string; timestamp?: boolean };
  '[eshop.v1.example]'?: string;
  '[eshop.v1.timestamp]'?: boolean;
}

export interface MethodOptionsJson {
  idempotencyLevel?: string;
  '[google.api.http]'?: { get?: string; post?: string; put?: string; delete?: string; body?: string };
  '[eshop.v1.branch]'?: boolean;
  '[eshop.v1.refusals]'?: string[];
  '[eshop.v1.tag]'?: string;
  '[eshop.v1.idempotency_key]'?: boolean;
}

export interface MessageOptionsJson {
  '[eshop.v1.record]'?: boolean;
}

export interface ServiceOptionsJson {
  '[eshop.v1.service]'?: { title?: string; httpPort?: number; grpcPort?: number; module?: string };
}

export interface EnumValueOptionsJson {
  '[eshop.v1.code]'?: { http: number; grpc?: number; msg: string };
}

/** Reads options, extensions included, as protobuf JSON. */
export class OptionReader {
  readonly #registry: Registry;

  constructor(schema: Schema) {
    this.#registry = createRegistry(...schema.allFiles);
  }

  ofField({ proto }: DescField): FieldOptionsJson {
    return proto.options
      ? (toJson(FieldOptionsSchema, proto.options, { registry: this.#registry }) as FieldOptionsJson)
      : {};
  }

  ofMethod({ proto }: DescMethod): MethodOptionsJson {
    return proto.options
      ? (toJson(MethodOptionsSchema, proto.options, { registry: this.#registry }) as MethodOptionsJson)
      : {};
  }

  ofMessage({ proto }: DescMessage): MessageOptionsJson {
    return proto.options
      ? (toJson(MessageOptionsSchema, proto.options, { registry: this.#registry }) as MessageOptionsJson)
      : {};
  }

  ofService({ proto }: DescService): ServiceOptionsJson {
    return proto.options
      ? (toJson(ServiceOptionsSchema, proto.options, { registry: this.#registry }) as ServiceOptionsJson)
      : {};
  }

  ofEnumValue({ proto }: DescEnumValue): EnumValueOptionsJson {
    return proto.options
      ? (toJson(EnumValueOptionsSchema, proto.options, { registry: this.#registry }) as EnumValueOptionsJson)
      : {};
  }
}
