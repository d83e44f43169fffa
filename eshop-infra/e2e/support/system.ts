/** Where the system under test is, as `eshop test` tells it. */
function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run the system tests by "eshop test e2e"`);
  return value;
}

const portsOf = (): Record<string, number> => JSON.parse(required('ESHOP_PORTS')) as Record<string, number>;

/** Base URL of the gateway. */
export const gateway = (): string => required('ESHOP_GATEWAY_URL');

/** The database server with all rights. */
export const mysqlRootUrl = (): string => required('ESHOP_MYSQL_ROOT_URL');

/** A port by its name in `eshop status`, e.g. `stock.http` or `stock.grpc`. */
export function port(name: string): number {
  const value = portsOf()[name];
  if (!value) throw new Error(`no port is named ${name}`);
  return value;
}

/** Base URL of one service's own HTTP API. */
export const service = (name: string): string => `http://127.0.0.1:${port(`${name}.http`)}`;
