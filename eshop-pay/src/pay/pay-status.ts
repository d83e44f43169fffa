/** The states of a payment, as the contract numbers them. */
export const PayStatus = { awaiting: 1, paid: 2, cancelled: 4 } as const;
