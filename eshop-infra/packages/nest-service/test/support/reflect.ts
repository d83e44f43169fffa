import { Client, credentials } from '@grpc/grpc-js';

/** The answers of one reflection stream to questions in bytes. */
export function reflect(address: string, version: string, questions: readonly Uint8Array[]): Promise<Buffer[]> {
  const client = new Client(address, credentials.createInsecure());
  return new Promise<Buffer[]>((resolve, reject) => {
    const answers: Buffer[] = [];
    const call = client.makeBidiStreamRequest(
      `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes: Buffer) => bytes,
    );
    call.on('data', (answer: Buffer) => answers.push(answer));
    call.on('error', reject);
    call.on('end', () => resolve(answers));
    for (const question of questions) call.write(question);
    call.end();
  }).finally(() => client.close());
}

/** A question as it is on the wire: a text of less than 128 bytes. */
export const ask = (field: number, text: string) => Buffer.from([(field << 3) | 2, text.length, ...Buffer.from(text)]);
