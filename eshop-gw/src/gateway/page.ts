import type { Params } from '@eshop/proto';
import type { PageParam } from '@eshop/proto/gateway';

/** A page of all rows, newest first: the gateway's lists take no filter and no order. */
export function pageOf({ page, limit }: PageParam): { params: Params } {
  return { params: { page, limit, sort: '', columns: [] } };
}
