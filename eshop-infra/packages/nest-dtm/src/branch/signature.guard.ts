import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { DTM_SIGNER } from '../tokens.js';
import { answer } from './answer.js';
import { readBranchCall } from './branch.js';
import type { Signer } from './signature.js';

/** Lets only calls through that name a branch and carry a signature of its gid. Runs before validation and before any SQL. */
@Injectable()
export class SignatureGuard implements CanActivate {
  constructor(@Inject(DTM_SIGNER) private readonly signer: Signer | null) {}

  canActivate(context: ExecutionContext): boolean {
    const call = readBranchCall(context);
    if (!call.gid || !call.branchId || !call.op || !call.transType) {
      throw answer(call.transport, 'unauthenticated', 'this method is a transaction branch: the call names none');
    }
    if (this.signer && !this.signer.verify(call.gid, call.signature)) {
      throw answer(
        call.transport,
        'unauthenticated',
        'this method is a transaction branch: the call is not signed for its gid',
      );
    }
    return true;
  }
}
