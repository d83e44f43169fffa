import type { MethodDefinition } from '@grpc/grpc-js';
import { requestContext } from '../context/index.js';
import { LARGE_REPLY } from '../large-replies.js';

type Method = MethodDefinition<unknown, unknown>;

/** A message that is not decoded yet: its objects take the heap, and wait until there is room for them. */
export class LargeMessage {
  constructor(
    private readonly method: Method,
    private readonly bytes: Buffer,
  ) {}

  /** Decodes it when the reply of the request at hand may take as much; each who shares the message for himself. */
  async open(): Promise<unknown> {
    await requestContext()?.replyShare?.reserve(this.bytes.length);
    return this.method.responseDeserialize(this.bytes);
  }
}

/** What came over the wire, decoded unless it is large. */
export function received(method: Method, bytes: Buffer): unknown {
  return bytes.length > LARGE_REPLY ? new LargeMessage(method, bytes) : method.responseDeserialize(bytes);
}

/** A reply that {@link received} has taken. */
export async function opened(reply: Promise<unknown>): Promise<unknown> {
  const message = await reply;
  return message instanceof LargeMessage ? message.open() : message;
}
