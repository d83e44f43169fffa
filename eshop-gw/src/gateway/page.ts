import { ContractError, type Params } from '@eshop/proto';
import type { PageParam } from '@eshop/proto/gateway';

/** How a service names the fields of a page, which here stand by themselves. */
const INSIDE = 'params.';

/**
 * A page of all rows, newest first: the gateway's lists take no filter and no order. What the service finds wrong with the page
 * is told by the names that the fields have here.
 */
export async function pageOf<T>(
  { page, limit }: PageParam,
  list: (request: { params: Params }) => Promise<T>,
): Promise<T> {
  try {
    return await list({ params: { page, limit, sort: '', columns: [] } });
  } catch (error) {
    throw error instanceof ContractError && error.violations.length > 0 ? withOwnNames(error) : error;
  }
}

function withOwnNames(error: ContractError): ContractError {
  const { code, message, metadata } = error;
  const violations = error.violations.map(({ field, ...rest }) => ({
    ...rest,
    field: field.startsWith(INSIDE) ? field.slice(INSIDE.length) : field,
  }));
  return new ContractError(code, message, { violations, metadata, cause: error });
}
