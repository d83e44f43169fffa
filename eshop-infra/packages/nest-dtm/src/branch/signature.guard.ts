import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { DTM_SIGNER } from '../tokens.js';
import { answer } from './answer.js';
import { type BranchCall, readBranchCall } from './branch.js';
import { openAnswer } from './open-answer.js';
import { isSigned } from './received-call.js';
import type { Signer } from './signature.js';

/** Lets only calls through that name a branch and carry a signature for just this call. Runs before validation and before any SQL. */
@Injectable()
export class SignatureGuard implements CanActivate {
  constructor(@Inject(DTM_SIGNER) private readonly signer: Signer | null) {}

  canActivate(context: ExecutionContext): boolean {
    const call = readBranchCall(context);
    const pending = openAnswer(context);
    const problem = this.#problem(context, call);
    if (problem === undefined) return true;
    const text = `this method is a transaction branch: ${problem}`;
    pending.decide({ kind: 'unauthenticated', text });
    throw answer(call.transport, 'unauthenticated', text);
  }

  #problem(context: ExecutionContext, call: BranchCall): string | undefined {
    if (!call.gid || !call.branchId || !call.op || !call.transType) return 'the call names none';
    if (this.signer && !isSigned(this.signer, context, call)) return 'the call is not signed as what it is';
    return undefined;
  }
}
