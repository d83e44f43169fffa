import type { ServerResponse } from 'node:http';
import { type ArgumentsHost, Logger } from '@nestjs/common';
import { isBranchAnswer } from './answer.js';
import { readBranchCall } from './branch.js';
import { grpcReplyOf } from './grpc-answer.js';
import { holdHttpAnswer } from './http-answer.js';
import { PendingAnswer } from './pending-answer.js';

/** Where a call keeps its {@link PendingAnswer}. */
const ANSWER = Symbol('DtmPendingAnswer');

/** What is used of an HTTP framework's response: Fastify's has Node's inside, Express's is Node's. */
type HttpResponse = ServerResponse & { raw?: ServerResponse };

/** The answer to a call of a branch. From the first time on, what the application answers is held back for it. */
export function openAnswer(host: ArgumentsHost): PendingAnswer {
  const key = keyOf(host);
  const known: unknown = Reflect.get(key, ANSWER);
  if (known instanceof PendingAnswer) return known;
  const pending = hold(host, key);
  Object.assign(key, { [ANSWER]: pending });
  return pending;
}

/** Carries a branch out: what it comes to is the call's answer. */
export async function decided(host: ArgumentsHost, branch: () => Promise<unknown>): Promise<unknown> {
  const pending = openAnswer(host);
  pending.begin();
  try {
    const value = await branch();
    pending.decide({ kind: 'success', value });
    return value;
  } catch (error) {
    if (isBranchAnswer(error)) pending.decide({ kind: error.kind, text: error.message });
    throw error;
  }
}

/** Nest makes a new host for a filter; what the transport gives it stays the same. */
function keyOf(host: ArgumentsHost): object {
  if (host.getType() === 'rpc') return host.getArgByIndex<object | undefined>(2) ?? {};
  const response = host.switchToHttp().getResponse<HttpResponse>();
  return response.raw ?? response;
}

function hold(host: ArgumentsHost, key: object): PendingAnswer {
  const overruled = (offered: string): void => {
    const { gid, branchId, op } = readBranchCall(host);
    new Logger('Dtm').warn(
      `branch ${gid}/${branchId} ${op}: the application answered ${offered}, which is not what DTM is told`,
    );
  };
  if (host.getType() !== 'rpc') return holdHttpAnswer(key as ServerResponse, overruled);
  const reply = grpcReplyOf(key);
  if (reply) return reply.hold(overruled);
  new Logger('Dtm').error(
    'this gRPC server is not of the @grpc/grpc-js that nest-dtm sees: signatures cannot be checked, nor answers be enforced',
  );
  return new PendingAnswer(() => undefined);
}
