import type { Context } from '../context.ts';
import type { PortName } from '../ports.ts';

/** An answer of a service, checked to be a success. */
interface Envelope<T> {
  code: number;
  msg: string;
  data: T;
}

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

async function ask<T>(method: string, url: string, body?: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
    });
  } catch (error) {
    throw new Error(
      `${method} ${url}: no answer (${String((error as Error).cause ?? error)}); is it up? "eshop status"`,
    );
  }
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} answers ${response.status}: ${text.slice(0, 600)}`);
  return JSON.parse(text) as T;
}

/** The shop as the demo uses it: through the gateway, and the lists of services where the gateway has none. */
export class ShopClient {
  private readonly context: Context;

  constructor(context: Context) {
    this.context = context;
  }

  private async post<T>(path: string, body: unknown): Promise<T> {
    return (await ask<Envelope<T>>('POST', `${this.context.gatewayUrl}/api/v1/${path}`, body)).data;
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
    const { data } = await ask<Envelope<Record<string, T[]>>>('POST', this.service(port, `${path}/list`), { params });
    return data[rows]?.[0];
  }

  async createUser(email: string): Promise<number> {
    const user = {
      name: 'Ada',
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

  async findOrder(orderID: string): Promise<FoundOrder> {
    return (await ask<Envelope<FoundOrder>>('GET', `${this.context.gatewayUrl}/api/v1/order/${orderID}`)).data;
  }

  /** The saga's branches with their status, from DTM itself. */
  async saga(gid: string): Promise<{ status: string; branches: Branch[] }> {
    const url = `http://127.0.0.1:${this.context.ports.dtmMysqlHttp}/api/dtmsvr/query?gid=${gid}`;
    const found = await ask<{ transaction: { status: string } | null; branches: Branch[] }>('GET', url);
    return { status: found.transaction?.status ?? 'unknown', branches: found.branches ?? [] };
  }
}
