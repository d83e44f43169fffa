import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';

/** A gRPC call of bytes, as any foreign client would make it. */
export async function rawCall(
  address: string,
  path: string,
  bytes: Uint8Array,
  metadata: Record<string, string> = {},
): Promise<{ error: ServiceError | null; reply: Buffer | undefined }> {
  const client = new Client(address, credentials.createInsecure());
  const headers = new Metadata();
  for (const [key, value] of Object.entries(metadata)) headers.set(key, value);
  try {
    return await new Promise((resolve) => {
      client.makeUnaryRequest(
        path,
        (value: Uint8Array) => Buffer.from(value),
        (value: Buffer) => value,
        bytes,
        headers,
        { deadline: Date.now() + 10_000 },
        (error, reply) => resolve({ error, reply }),
      );
    });
  } finally {
    client.close();
  }
}
