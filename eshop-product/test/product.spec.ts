import { randomUUID } from 'node:crypto';
import type { Column } from '@eshop/proto';
import { type Started, startProduct } from './service.js';

const UNKNOWN = 9_007_199_254_740_991;
/** Text of every plane, with the characters that SQL, JSON and HTML treat specially. */
const TEXT = ` Тeekanne 茶壶 ☕ 🫖 👩‍👩‍👧 𝒯 \u{10FFFD} 'q' "d" \\ %_! <b>&amp; \t\r\n é e\u0301\u0000 `;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('product', () => {
  let product: Started;
  beforeAll(async () => {
    product = await startProduct();
  });
  afterAll(() => product.service.close());

  /** A product with a name that no other has, unless one is given. */
  async function newProduct(values: { name?: string; price?: number; photo?: string; description?: string } = {}) {
    const wanted = { name: randomUUID(), price: 100, photo: 'p.png', description: 'as new', ...values };
    const { id } = await product.grpc.create(wanted);
    return { id, ...wanted };
  }

  const read = async (id: number) => (await product.grpc.getByID({ id })).product;

  const condition = (name: string, exp: string, value: string, logic = ''): Column => ({ name, exp, value, logic });

  async function find(columns: Column[], sort = 'id') {
    const { total, products } = await product.grpc.list({ params: { page: 0, limit: 1000, sort, columns } });
    expect(total).toBe(products.length);
    return products.map(({ id }) => id);
  }

  describe('as people manage it', () => {
    it('is created, read, changed and deleted over gRPC', async () => {
      const { id, name } = await newProduct();
      const created = await read(id);
      expect(created).toEqual({
        id,
        name,
        price: 100,
        photo: 'p.png',
        description: 'as new',
        createdAt: expect.stringMatching(TIME),
        updatedAt: expect.stringMatching(TIME),
        version: 1,
      });
      await product.grpc.updateByID({ id, name: `${name}, revised` });
      expect(await read(id)).toMatchObject({ name: `${name}, revised`, createdAt: created?.createdAt });
      await product.grpc.deleteByID({ id });
      await expect(product.grpc.getByID({ id })).rejects.toMatchObject({ code: 'PRODUCT_NOT_FOUND' });
    });

    it('is created, read, changed and deleted over HTTP, with the same fields', async () => {
      const values = { name: randomUUID(), price: 250, photo: '', description: '' };
      const created = await product.http('POST', '', values);
      expect(created).toMatchObject({ status: 200, code: 0, msg: 'ok' });
      const id = created.data.id as number;
      expect(await product.http('PUT', `/${id}`, { price: 300 })).toMatchObject({ status: 200, data: {} });
      const shown = await product.http('GET', `/${id}`);
      expect(shown).toMatchObject({ status: 200, data: { product: { id, ...values, price: 300 } } });
      expect(shown.data.product).toEqual(await read(id));
      expect(await product.http('DELETE', `/${id}`)).toMatchObject({ status: 200, data: {} });
      expect(await product.http('GET', `/${id}`)).toMatchObject({ status: 404, code: 40403, data: {} });
    });

    it('changes only the fields that are present, to empty text too', async () => {
      const { id, name } = await newProduct();
      await product.grpc.updateByID({ id, price: 5 });
      expect(await read(id)).toMatchObject({ name, price: 5, photo: 'p.png', description: 'as new' });
      await product.http('PUT', `/${id}`, { description: '', photo: null });
      expect(await read(id)).toMatchObject({ name, price: 5, photo: 'p.png', description: '' });
      await product.http('PUT', `/${id}`, {});
      expect(await read(id)).toMatchObject({ name, price: 5, photo: 'p.png', description: '' });
    });

    it('of many changes for one version takes one, and tells the others that it has changed', async () => {
      const { id } = await newProduct();
      const prices = Array.from({ length: 50 }, (_, i) => i + 1);
      const results = await Promise.allSettled(
        prices.map((price) => product.grpc.updateByID({ id, price, version: 1 })),
      );
      const made = prices.filter((_, i) => results[i]?.status === 'fulfilled');
      expect(made).toHaveLength(1);
      for (const result of results) {
        if (result.status === 'rejected') {
          expect(result.reason).toMatchObject({ code: 'VERSION_CONFLICT', grpcStatus: 10 });
        }
      }
      expect(await read(id)).toMatchObject({ price: made[0], version: 2 });
      for (const body of [{ price: 5, version: 1 }, { version: 3 }]) {
        expect(await product.http('PUT', `/${id}`, body)).toMatchObject({ status: 409, code: 40914, data: {} });
      }
      await product.grpc.updateByID({ id, price: 60, version: 2 });
      expect(await read(id)).toMatchObject({ price: 60, version: 3 });
    });

    it('takes every change that names no version', async () => {
      const { id } = await newProduct();
      const prices = Array.from({ length: 50 }, (_, i) => i + 1);
      await Promise.all(prices.map((price) => product.grpc.updateByID({ id, price })));
      expect(await read(id)).toMatchObject({ version: 51 });
    });

    it('can be given the values that it has', async () => {
      const { id, ...values } = await newProduct();
      expect(await product.grpc.updateByID({ id, ...values })).toEqual({});
    });

    it('that is deleted is hidden from every call, and stays for the orders that name it', async () => {
      const { id, name } = await newProduct();
      await product.grpc.deleteByID({ id });
      for (const call of [
        () => product.grpc.getByID({ id }),
        () => product.grpc.updateByID({ id, price: 1 }),
        () => product.grpc.updateByID({ id }),
        () => product.grpc.deleteByID({ id }),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: 'PRODUCT_NOT_FOUND' });
      }
      // An `or` must not lead around it.
      expect(await find([condition('name', '=', name, 'or'), condition('id', '=', `${id}`)])).toEqual([]);
      const rows = await product.service.database?.query('SELECT price, deleted_at FROM product WHERE id = ?', [id]);
      expect(rows).toMatchObject([{ price: 100, deleted_at: expect.any(Date) }]);
    });

    it('that is unknown is not found, by whatever call', async () => {
      for (const call of [
        () => product.grpc.getByID({ id: UNKNOWN }),
        () => product.grpc.updateByID({ id: UNKNOWN, price: 1 }),
        () => product.grpc.updateByID({ id: UNKNOWN }),
        () => product.grpc.deleteByID({ id: UNKNOWN }),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: 'PRODUCT_NOT_FOUND', grpcStatus: 5 });
      }
      for (const [method, body] of [['GET'], ['PUT', { price: 1 }], ['PUT', {}], ['DELETE']] as const) {
        expect(await product.http(method, `/${UNKNOWN}`, body)).toMatchObject({ status: 404, code: 40403, data: {} });
      }
    });
  });

  describe('its text', () => {
    it('comes back unchanged, whatever plane it is of', async () => {
      const { id } = await newProduct({ name: TEXT, photo: TEXT, description: TEXT });
      expect(await read(id)).toMatchObject({ name: TEXT, photo: TEXT, description: TEXT });
      const shown = await product.http('GET', `/${id}`);
      expect(shown.data.product).toMatchObject({ name: TEXT, photo: TEXT, description: TEXT });
    });

    it('may fill its column with characters of four bytes, and not one more', async () => {
      const longest = { name: '🫖'.repeat(255), photo: '🫖'.repeat(255), description: '🫖'.repeat(16_383) };
      const { id } = await newProduct(longest);
      expect(await read(id)).toMatchObject(longest);
      for (const [field, text] of Object.entries(longest)) {
        const answer = await product.http('PUT', `/${id}`, { [field]: `${text}x` });
        expect(answer).toMatchObject({ status: 400, violations: [{ field, rule: 'string.max_len' }] });
      }
      expect(await read(id)).toMatchObject(longest);
    });
  });

  describe('that breaks a rule', () => {
    it('is refused with every field and its rule, and not stored', async () => {
      const before = await find([]);
      const answer = await product.http('POST', '', { name: '', price: 0, photo: 7 });
      expect(answer).toMatchObject({ status: 400, code: 40000, data: {} });
      expect(answer.violations?.map(({ field, rule }) => `${field} ${rule}`)).toEqual(
        expect.arrayContaining(['name string.min_len', 'price int32.gt', 'photo type']),
      );
      await expect(product.grpc.create({ name: '', price: 0, photo: '', description: '' })).rejects.toMatchObject({
        code: 'INVALID_PARAMETER',
        violations: [{ field: 'name' }, { field: 'price' }],
      });
      expect(await find([])).toEqual(before);
    });

    it('keeps its old values', async () => {
      const { id, name } = await newProduct();
      expect(await product.http('PUT', `/${id}`, { name: '', price: 5 })).toMatchObject({ status: 400 });
      expect(await product.http('PUT', `/${id}`, { id: id + 1, price: 5 })).toMatchObject({
        status: 400,
        violations: [{ field: 'id', rule: 'path.contradiction' }],
      });
      expect(await read(id)).toMatchObject({ name, price: 100 });
    });
  });

  describe('in lists', () => {
    it('is found by a part of its name', async () => {
      const mark = randomUUID();
      const { id: first } = await newProduct({ name: `red ${mark} teapot` });
      const { id: second } = await newProduct({ name: `blue ${mark}` });
      await newProduct();
      expect(await find([condition('name', 'like', mark)])).toEqual([first, second]);
      expect(await find([condition('name', 'like', mark), condition('name', 'like', 'teapot')])).toEqual([first]);
    });

    it.each(['%', '_', '!', '\\', "'", '"', '!%', '\\%', "' OR 1=1 -- "])(
      'is found by %j as that text, not as a wildcard or as SQL',
      async (sign) => {
        const mark = randomUUID();
        const { id } = await newProduct({ name: `${mark}${sign}x` });
        await newProduct({ name: `${mark}ax` });
        expect(await find([condition('name', 'like', `${mark}${sign}x`)])).toEqual([id]);
        expect(await find([condition('name', '=', `${mark}${sign}x`)])).toEqual([id]);
      },
    );

    it('is told apart from others by characters of the upper planes', async () => {
      const mark = randomUUID();
      const { id: teapot } = await newProduct({ name: `${mark}🫖` });
      const { id: guitar } = await newProduct({ name: `${mark}🎸` });
      expect(await find([condition('name', '=', `${mark}🫖`)])).toEqual([teapot]);
      expect(await find([condition('name', 'like', `${mark}🎸`)])).toEqual([guitar]);
    });

    it('is picked by price and sorted', async () => {
      const mark = randomUUID();
      const ids: number[] = [];
      for (const price of [30, 10, 20, 1]) ids.push((await newProduct({ name: `${mark}-${price}`, price })).id);
      const named = condition('name', 'like', mark);
      const [thirty, ten, twenty, one] = ids;
      expect(await find([named, condition('price', '>', '10')])).toEqual([thirty, twenty]);
      expect(await find([named, condition('price', 'in', '1,10')])).toEqual([ten, one]);
      expect(await find([named], 'price')).toEqual([one, ten, twenty, thirty]);
      expect(await find([named], '-price')).toEqual([thirty, twenty, ten, one]);
    });

    it('comes in pages, newest first when no order is asked for', async () => {
      const mark = randomUUID();
      const ids: number[] = [];
      for (let i = 0; i < 5; i++) ids.unshift((await newProduct({ name: `${mark}-${i}` })).id);
      const pages: number[] = [];
      for (const page of [0, 1, 2, 3]) {
        const params = { page, limit: 2, sort: '', columns: [condition('name', 'like', mark)] };
        const { data } = await product.http('POST', '/list', { params });
        expect(data.total).toBe(5);
        pages.push(...(data.products as { id: number }[]).map(({ id }) => id));
      }
      expect(pages).toEqual(ids);
    });

    it('is not there: the list is empty, not absent', async () => {
      const params = { columns: [{ name: 'name', value: randomUUID() }] };
      expect(await product.http('POST', '/list', { params })).toMatchObject({
        status: 200,
        data: { total: 0, products: [] },
      });
    });

    it('of unknown columns, operators or order is refused', async () => {
      const params = {
        sort: 'deleted_at',
        columns: [
          { name: 'deleted_at', value: '1' },
          { name: 'name', exp: 'regexp', value: 'x' },
        ],
      };
      const answer = await product.http('POST', '/list', { params });
      expect(answer).toMatchObject({ status: 400, code: 40000, data: {} });
      expect(answer.violations?.map(({ field }) => field).sort()).toEqual([
        'params.columns[0].name',
        'params.columns[1].exp',
        'params.sort',
      ]);
    });
  });
});
