import type { MethodDefinition } from '@grpc/grpc-js';

/** Payload of the benchmark's branches. */
export interface Booking {
  till: number;
  cents: number;
}

function method(name: string): MethodDefinition<Booking, object> {
  return {
    path: `/bench.Till/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: ({ till, cents }) => {
      const bytes = Buffer.alloc(8);
      bytes.writeUInt32LE(till, 0);
      bytes.writeUInt32LE(cents, 4);
      return bytes;
    },
    requestDeserialize: (bytes) => ({ till: bytes.readUInt32LE(0), cents: bytes.readUInt32LE(4) }),
    responseSerialize: () => Buffer.alloc(0),
    responseDeserialize: () => ({}),
  };
}

/** Two services with the same methods: `bench.Till` with a barrier, `bench.Plain` without. */
export const Till = { book: method('Book'), unbook: method('Unbook') };
export const Plain = {
  book: { ...Till.book, path: '/bench.Plain/Book' },
  unbook: { ...Till.unbook, path: '/bench.Plain/Unbook' },
};
