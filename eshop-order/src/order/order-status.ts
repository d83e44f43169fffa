/** The states of an order, as the contract numbers them. */
export const OrderStatus = { toPay: 1, toShip: 2, toReceive: 3, completed: 4, cancelled: 5 } as const;
