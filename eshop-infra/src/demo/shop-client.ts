import { ask, askJson, Refused } from '../base/ask.ts';
import type { Context } from '../context.ts';
import type { PortName } from '../ports.ts';

export interface Submitted {
  orderID: string;
  state: 'pending' | 'placed' | 'cancelled';
  reason: string;
}

export interface FoundOrder {
  orderID: string;
  state: string;
  reason: string;
  transaction: string;
  order?: { amount: number; status: number; productCount: number };
  pay?: { amount: number; status: number };
}

/** One call of a branch, as DTM keeps it. */
export interface Branch {
  branch_id: string;
  op: string;
  status: string;
  url: string;
}

/** A sale at its counter in Redis. */
export interface SaleCounter {
  state: string;
  left: number;
  reserved: number;
}

/** The contract's code of a sale whose counter Redis has lost. */
const SALE_LOST = 40_915;

/** What a buyer of a flash sale was told. */
export type Bought = { orderID: string; refused?: undefined } | { orderID?: undefined; refused: string };

/** The shop as the demo uses it: through the gateway, and the lists of services where the gateway has none. */
export class ShopClient {
  private readonly context: Context;

  constructor(context: Context) {
    this.context = context;
  }

  private post<T>(path: string, body: unknown): Promise<T> {
    return ask<T>('POST', `${this.context.gatewayUrl}/api/v1/${path}`, body);
  }

  private service(port: PortName, path: string): string {
    return `http://127.0.0.1:${this.context.ports[port]}/api/v1/${path}`;
  }

  /** The first row whose column has the value, from a service's list. */
  private async first<T>(
    port: PortName,
    path: string,
    rows: string,
    name: string,
    value: unknown,
  ): Promise<T | undefined> {
    const params = { page: 0, limit: 1, columns: [{ name, exp: '=', value }] };
    const data = await ask<Record<string, T[]>>('POST', this.service(port, `${path}/list`), { params });
    return data[rows]?.[0];
  }

  async createUser(email: string, name = 'Ada'): Promise<number> {
    const user = {
      name,
      password: 'a-demo-password',
      email,
      phone: '',
      avatar: '',
      age: 36,
      gender: 2,
      status: 1,
    };
    return (await this.post<{ id: number }>('user', { ...user, loginAt: 0, loginType: 1 })).id;
  }

  async findUser(email: string): Promise<number | undefined> {
    return (await this.first<{ id: number }>('userHttp', 'user', 'users', 'email', email))?.id;
  }

  async createProduct(name: string, price: number): Promise<number> {
    return (await this.post<{ id: number }>('product', { name, price, photo: '', description: 'made by eshop demo' }))
      .id;
  }

  async findProduct(name: string): Promise<number | undefined> {
    return (await this.first<{ id: number }>('productHttp', 'product', 'products', 'name', name))?.id;
  }

  async createStock(productID: number, stock: number): Promise<number> {
    return (await this.post<{ id: number }>('stock', { productID, stock })).id;
  }

  /** Units in stock; undefined when the product has no stock yet. */
  async unitsOf(productID: number): Promise<number | undefined> {
    return (await this.first<{ stock: number }>('stockHttp', 'stock', 'stocks', 'product_id', String(productID)))
      ?.stock;
  }

  async createCoupon(userID: number, amount: number): Promise<number> {
    return (await this.post<{ id: number }>('coupon', { userID, amount, status: 1 })).id;
  }

  /** 1 unused, 2 used, 3 expired. */
  async couponStatus(id: number): Promise<number | undefined> {
    return (await this.first<{ status: number }>('couponHttp', 'coupon', 'coupons', 'id', String(id)))?.status;
  }

  submit(order: Record<string, unknown>): Promise<Submitted> {
    return this.post<Submitted>('order/submit', order);
  }

  findOrder(orderID: string): Promise<FoundOrder> {
    return ask<FoundOrder>('GET', `${this.context.gatewayUrl}/api/v1/order/${orderID}`);
  }

  /** Gives a product units, and its flash sale some of them; 0 ends the sale. A sale that Redis has lost is rebuilt first. */
  async setFlashSale(sale: {
    productID: number;
    stock: number;
    allotted: number;
    limitPerUser?: number;
  }): Promise<void> {
    try {
      await this.post('stock/setFlashSale', sale);
    } catch (error) {
      if (!(error instanceof Refused && error.code === SALE_LOST)) throw error;
      await ask('POST', this.service('flashsaleHttp', `flashSale/sale/${sale.productID}/rebuild`), {});
      await this.post('stock/setFlashSale', sale);
    }
  }

  /** Buys one unit; a sale that refuses says why. */
  async buy(purchase: { userID: number; productID: number; amount: number }): Promise<Bought> {
    try {
      return { orderID: (await this.post<{ orderID: string }>('flashSale', purchase)).orderID };
    } catch (error) {
      if (error instanceof Refused && error.status === 409) return { refused: String(error.code) };
      throw error;
    }
  }

  saleCounter(productID: number): Promise<SaleCounter> {
    return ask<SaleCounter>('GET', this.service('flashsaleHttp', `flashSale/sale/${productID}`));
  }

  /** Units of stock that belong to the product's sale, and all units of the product. */
  saleBooks(productID: number): Promise<{ flashSale: { units: number }; stock: number; allotted: number }> {
    return ask('GET', this.service('stockHttp', `stock/flashSale/${productID}`));
  }

  /** The saga's branches with their status, from DTM itself. */
  async saga(gid: string): Promise<{ status: string; branches: Branch[] }> {
    const url = `http://127.0.0.1:${this.context.ports.dtmMysqlHttp}/api/dtmsvr/query?gid=${gid}`;
    const found = await askJson<{ transaction: { status: string } | null; branches: Branch[] }>('GET', url);
    return { status: found.transaction?.status ?? 'unknown', branches: found.branches ?? [] };
  }
}
