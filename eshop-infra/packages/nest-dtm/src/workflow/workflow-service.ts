import type { MethodDefinition } from '@grpc/grpc-js';

const nothing = (): Buffer => Buffer.alloc(0);

/**
 * The gRPC service by which DTM resumes workflows, `workflow.Workflow` (`client/workflow/wfpb/wf.proto`), for the
 * `packageDefinition` of Nest's gRPC transport. What DTM sends is not read: the input is asked of DTM together with the progress.
 */
export const workflowService: {
  /** Resumes one workflow. */
  readonly execute: MethodDefinition<object, object>;
} = {
  execute: {
    path: '/workflow.Workflow/Execute',
    requestStream: false,
    responseStream: false,
    requestSerialize: nothing,
    requestDeserialize: () => ({}),
    responseSerialize: nothing,
    responseDeserialize: () => ({}),
  },
};
