import type { DtmBranchRequest, DtmRequest } from './dtm-request.js';

/** The body of `POST /api/dtmsvr/{prepare,submit,abort}`. Unknown keys are dropped by DTM in silence, so all are snake case. */
export function transactionJson(request: DtmRequest): string {
  const { transOptions: options } = request;
  return JSON.stringify({
    gid: request.gid,
    trans_type: request.transType,
    // Under `grpc` DTM calls an address without a scheme by gRPC and an http:// one by HTTP; under `http` all by HTTP.
    protocol: request.calledByHttp ? 'http' : 'grpc',
    steps: request.steps,
    payloads: request.payloads.map(utf8),
    query_prepared: request.queryPrepared,
    custom_data: request.customedData,
    wait_result: options.waitResult,
    timeout_to_fail: options.timeoutToFail,
    retry_interval: options.retryInterval,
    retry_limit: options.retryLimit,
    request_timeout: options.requestTimeout,
    branch_headers: options.branchHeaders,
    concurrent: request.concurrent,
    rollback_reason: request.rollbackReason,
    req_extra: request.reqExtra,
  });
}

/** The body of `POST /api/dtmsvr/registerBranch`: a flat map of texts. */
export function branchJson(request: DtmBranchRequest): string {
  return JSON.stringify({
    gid: request.gid,
    trans_type: request.transType,
    branch_id: request.branchId,
    ...request.data,
    data: utf8(request.payload),
  });
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
