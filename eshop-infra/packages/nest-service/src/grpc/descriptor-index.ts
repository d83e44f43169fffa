import { BinaryReader } from '@bufbuild/protobuf/wire';

export interface DescriptorIndex {
  /** Encoded FileDescriptorProtos by file name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The file that declares a message, enum, service, or a method of one, by its full name. */
  fileOfSymbol(name: string): Uint8Array | undefined;
}

/** Finds files by what they declare. Reads only names out of the descriptors (descriptor.proto, FileDescriptorProto). */
export function indexDescriptors(descriptors: readonly Uint8Array[]): DescriptorIndex {
  const files = new Map<string, Uint8Array>();
  const symbols = new Map<string, Uint8Array>();
  for (const descriptor of descriptors) {
    const strings: Record<number, string> = {};
    const declared: string[] = [];
    eachBytes(descriptor, (field, value) => {
      if (field === 1 || field === 2) strings[field] = text(value);
      if (field === 4 || field === 5 || field === 6) declared.push(nameOf(value));
    });
    files.set(strings[1] ?? '', descriptor);
    const prefix = strings[2] ? `${strings[2]}.` : '';
    for (const name of declared) symbols.set(prefix + name, descriptor);
  }
  return {
    files,
    fileOfSymbol: (name) => {
      // A method, a field or a nested message belongs to what its name begins with.
      for (let symbol = name; symbol; symbol = symbol.slice(0, Math.max(symbol.lastIndexOf('.'), 0))) {
        const file = symbols.get(symbol);
        if (file) return file;
      }
      return undefined;
    },
  };
}

function nameOf(message: Uint8Array): string {
  let name = '';
  eachBytes(message, (field, value) => {
    if (field === 1) name = text(value);
  });
  return name;
}

function eachBytes(message: Uint8Array, take: (field: number, value: Uint8Array) => void): void {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType === 2) take(field, reader.bytes());
    else reader.skip(wireType, field);
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
