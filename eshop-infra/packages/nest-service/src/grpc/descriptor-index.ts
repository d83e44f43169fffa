import { create, createFileRegistry, type DescFile, type DescMessage, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** Finds files by what they declare. A file is given as encoded FileDescriptorProtos: itself, then all that it imports. */
export class DescriptorIndex {
  private readonly bytes = new Map<string, Uint8Array>();
  private readonly files = new Map<string, DescFile>();
  private readonly symbols = new Map<string, DescFile>();
  /** By the message that is extended and the number of the field. */
  private readonly extensions = new Map<string, Map<number, DescFile>>();

  /** @throws Error when a file imports one that is not there */
  constructor(descriptors: readonly Uint8Array[]) {
    const file = descriptors.map((bytes) => {
      const proto = fromBinary(FileDescriptorProtoSchema, bytes);
      this.bytes.set(proto.name, bytes);
      return proto;
    });
    for (const each of createFileRegistry(create(FileDescriptorSetSchema, { file })).files) this.add(each);
  }

  byName(name: string): Uint8Array[] | undefined {
    return this.withImports(this.files.get(name));
  }

  /** The file of a message, field, enum or value of one, service, method or extension, by its full name. */
  bySymbol(name: string): Uint8Array[] | undefined {
    return this.withImports(this.symbols.get(name));
  }

  byExtension(message: string, number: number): Uint8Array[] | undefined {
    return this.withImports(this.extensions.get(message)?.get(number));
  }

  /** Numbers of the extensions of a message; undefined when there is no such message. */
  extensionNumbers(message: string): number[] | undefined {
    const numbers = this.extensions.get(message);
    return numbers ? [...numbers.keys()] : undefined;
  }

  private add(file: DescFile): void {
    const { name, package: scope } = file.proto;
    this.files.set(name, file);
    const declare = (...path: string[]) => this.symbols.set(path.filter(Boolean).join('.'), file);
    const addEnums = (enums: DescFile['enums'], parent: string) => {
      for (const each of enums) {
        declare(each.typeName);
        // A value is a name beside its enum, not within it.
        for (const value of each.values) declare(parent, value.name);
      }
    };
    const addExtensions = (extensions: DescFile['extensions']) => {
      for (const each of extensions) {
        declare(each.typeName);
        this.extensionsOf(each.extendee.typeName).set(each.number, file);
      }
    };
    const addMessages = (messages: readonly DescMessage[]) => {
      for (const each of messages) {
        declare(each.typeName);
        this.extensionsOf(each.typeName);
        for (const { name } of [...each.fields, ...each.oneofs]) declare(each.typeName, name);
        addMessages(each.nestedMessages);
        addEnums(each.nestedEnums, each.typeName);
        addExtensions(each.nestedExtensions);
      }
    };
    addMessages(file.messages);
    addEnums(file.enums, scope);
    addExtensions(file.extensions);
    for (const { typeName, methods } of file.services) {
      declare(typeName);
      for (const method of methods) declare(typeName, method.name);
    }
  }

  private extensionsOf(message: string): Map<number, DescFile> {
    const known = this.extensions.get(message) ?? new Map<number, DescFile>();
    this.extensions.set(message, known);
    return known;
  }

  private withImports(file: DescFile | undefined): Uint8Array[] | undefined {
    if (!file) return undefined;
    const all = new Set([file]);
    // A set that grows is walked to its end.
    for (const each of all) for (const imported of each.dependencies) all.add(imported);
    return [...all].map(({ proto }) => this.bytes.get(proto.name) ?? new Uint8Array());
  }
}
