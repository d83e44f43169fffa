/** The states of a counter. `rebuilding`: what Redis holds is being checked against the books; nobody can buy. */
export const SaleStatus = { running: 1, ended: 2, rebuilding: 3 } as const;

/** The same as `GetSale` tells them; 0 = Redis holds nothing. */
export const STATE_NAMES: readonly string[] = ['none', 'running', 'ended', 'rebuilding'];
