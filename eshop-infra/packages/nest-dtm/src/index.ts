export type { Barrier, BarrierCall, BarrierOutcome, StepOutcome } from './barrier/barrier.js';
export type { LocalOutcome, LocalStep } from './barrier/local-step.js';
export { type BackCheckOptions, DtmBackCheck } from './branch/back-check.decorator.js';
export type { Branch } from './branch/branch.js';
export { type Classify, classify, isTransient, type Meaning } from './branch/classify.js';
export { CurrentBranch } from './branch/current-branch.js';
export { type BranchesOptions, DtmBranches } from './branch/dtm-branches.decorator.js';
export type { BranchOp } from './branch/op.js';
export { Ongoing, Refusal } from './branch/refusal.js';
export { DtmAction, DtmCancel, DtmCompensation, DtmConfirm, DtmTry } from './branch/role.decorator.js';
export { SIGNATURE_HEADER, Signer } from './branch/signature.js';
export { calledMethod, type SignedCall } from './branch/signed-call.js';
export type { BranchOutcome, BranchVerdict } from './branch/verdict.js';
export { DtmModule, type DtmModuleAsyncOptions } from './dtm.module.js';
export { DtmService } from './dtm.service.js';
export type { DtmModuleOptions, DtmServerOptions, MaybeUnset, SignatureKey, SignatureOptions } from './dtm-options.js';
export {
  DtmAborted,
  DtmBranchFailed,
  DtmBypass,
  DtmError,
  type DtmErrorCode,
  DtmGidTaken,
  DtmInvalidOption,
  DtmNotDone,
  DtmOutcomeUnknown,
  DtmProtocolError,
  DtmReentered,
  DtmRefused,
  DtmUnavailable,
} from './errors.js';
export { MAX_GID_LENGTH, newGid } from './gid.js';
export type { BranchSync } from './health/branch-sync.js';
export {
  type DtmHealth,
  DtmHealthIndicator,
  type DtmHealthOptions,
  type DtmHealthResult,
} from './health/dtm-health.indicator.js';
export type { LocalSubmitOptions, Message } from './message/message.js';
export type { MessageOptions } from './message/message-options.js';
export type { LocalMessageResult, MessageResult } from './message/message-result.js';
export type { BranchAbout, DtmObserver, SubmitAbout } from './observe/observer.js';
export type { Saga } from './saga/saga.js';
export type { SagaOptions } from './saga/saga-options.js';
export { refusalText, type Transaction, type TransactionBranch, type TransactionStatus } from './server/transaction.js';
export type { Tcc } from './tcc/tcc.js';
export type { TccOptions, TccResult } from './tcc/tcc-options.js';
export type { TopicOptions, TopicSubscriber, Topics } from './topics/topics.js';
export {
  type BranchMethod,
  type GrpcBranchMethod,
  type HttpBranchMethod,
  httpBranch,
  type MethodAs,
  type SameMessage,
} from './transaction/branch-method.js';
export {
  type Compensable,
  compensable,
  type InRole,
  type Paired,
  type Role,
  type TccBranch,
  tccBranch,
} from './transaction/compensable.js';
export type { SubmitOptions, SubmitResult } from './transaction/submit.js';
export type { TransactionOptions } from './transaction/transaction-options.js';
export { DtmWorkflow, type DtmWorkflowOptions, type WorkflowHandler } from './workflow/dtm-workflow.decorator.js';
export type { Workflow } from './workflow/workflow.js';
export { DtmWorkflowCallback } from './workflow/workflow-callback.decorator.js';
export type { WorkflowOptions, WorkflowResult } from './workflow/workflow-options.js';
