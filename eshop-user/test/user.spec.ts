import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { CreateUserRequest } from '@eshop/proto/user';
import { verifyPassword } from '../src/user/password.js';
import { type Started, startUser } from './service.js';

const UNKNOWN = 9_007_199_254_740_991;
const PASSWORD = 'correct horse 🫖';
const TEXT = ` Zoë 林 𝒯 🫖 'q' "d" \\ %_ e\u0301\u0000 `;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const newEmail = () => `${randomUUID().slice(0, 18)}@example.com`;

interface Row {
  password: string;
  email: string;
  deleted_at: Date | null;
}

describe('user', () => {
  let user: Started;
  beforeAll(async () => {
    user = await startUser();
  });
  afterAll(() => user.service.close());

  function newValues(values: Partial<CreateUserRequest> = {}): CreateUserRequest {
    return {
      name: 'Ann',
      password: PASSWORD,
      email: newEmail(),
      phone: '+4912345678',
      avatar: 'a.png',
      age: 30,
      gender: 2,
      status: 1,
      loginAt: 1_767_323_045,
      loginType: 4,
      ...values,
    };
  }

  async function newUser(values: Partial<CreateUserRequest> = {}) {
    const wanted = newValues(values);
    const { id } = await user.grpc.create(wanted);
    return { id, ...wanted };
  }

  const read = async (id: number) => (await user.grpc.getByID({ id })).user;

  async function rowOf(id: number): Promise<Row> {
    const rows = await user.service.database?.query<Row>('SELECT * FROM user WHERE id = ?', [id]);
    if (!rows?.[0]) throw new Error(`user ${id} has no row`);
    return rows[0];
  }

  describe('as people manage it', () => {
    it('is created, read, changed and deleted over gRPC', async () => {
      const { id, password, ...values } = await newUser();
      expect(await read(id)).toEqual({
        id,
        ...values,
        createdAt: expect.stringMatching(TIME),
        updatedAt: expect.stringMatching(TIME),
        version: 1,
      });
      await user.grpc.updateByID({ id, name: TEXT });
      expect(await read(id)).toMatchObject({ ...values, name: TEXT });
      await user.grpc.deleteByID({ id });
      await expect(user.grpc.getByID({ id })).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
    });

    it('is created, read, changed and deleted over HTTP, with the same fields', async () => {
      const created = await user.http('POST', '', newValues());
      expect(created).toMatchObject({ status: 200, code: 0, msg: 'ok', data: { id: expect.any(Number) } });
      const id = created.data.id as number;
      expect(await user.http('PUT', `/${id}`, { age: 31 })).toMatchObject({ status: 200, data: {} });
      const shown = await user.http('GET', `/${id}`);
      expect(shown.data.user).toEqual(await read(id));
      expect(shown.data.user).toMatchObject({ age: 31 });
      expect(await user.http('DELETE', `/${id}`)).toMatchObject({ status: 200, data: {} });
      expect(await user.http('GET', `/${id}`)).toMatchObject({ status: 404, code: 40402, data: {} });
    });

    it('changes only the fields that are present, to empty and zero too', async () => {
      const { id, password, ...values } = await newUser();
      await user.http('PUT', `/${id}`, { phone: '', avatar: null, age: 0, gender: 0, status: 0, loginAt: 0 });
      const changed = { phone: '', age: 0, gender: 0, status: 0, loginAt: 0 };
      expect(await read(id)).toMatchObject({ ...values, ...changed });
      await user.grpc.updateByID({ id, loginType: 0 });
      expect(await read(id)).toMatchObject({ ...values, ...changed, loginType: 0 });
      await user.grpc.updateByID({ id });
      expect(await read(id)).toMatchObject({ ...values, ...changed, loginType: 0 });
    });

    it('of many changes for one version takes one, and tells the others that it has changed', async () => {
      const { id } = await newUser();
      const names = Array.from({ length: 50 }, (_, i) => `name ${i}`);
      const results = await Promise.allSettled(names.map((name) => user.grpc.updateByID({ id, name, version: 1 })));
      const made = names.filter((_, i) => results[i]?.status === 'fulfilled');
      expect(made).toHaveLength(1);
      for (const result of results) {
        if (result.status === 'rejected') {
          expect(result.reason).toMatchObject({ code: 'VERSION_CONFLICT', grpcStatus: 10 });
        }
      }
      expect(await read(id)).toMatchObject({ name: made[0], version: 2 });
      for (const body of [{ age: 1, version: 1 }, { version: 3 }, { password: 'battery staple', version: 1 }]) {
        expect(await user.http('PUT', `/${id}`, body)).toMatchObject({ status: 409, code: 40914, data: {} });
      }
      expect(await read(id)).toMatchObject({ age: 30, version: 2 });
    });

    it('takes every change that names no version', async () => {
      const { id } = await newUser();
      const ages = Array.from({ length: 50 }, (_, i) => i);
      await Promise.all(ages.map((age) => user.grpc.updateByID({ id, age, ...(age % 2 ? { version: 0 } : {}) })));
      expect(await read(id)).toMatchObject({ version: 51 });
    });

    it('that is unknown or deleted is not found, by whatever call', async () => {
      const { id: deleted } = await newUser();
      await user.grpc.deleteByID({ id: deleted });
      for (const id of [UNKNOWN, deleted]) {
        for (const call of [
          () => user.grpc.getByID({ id }),
          () => user.grpc.updateByID({ id, age: 1 }),
          () => user.grpc.updateByID({ id }),
          () => user.grpc.updateByID({ id, age: 1, version: 1 }),
          () => user.grpc.deleteByID({ id }),
        ]) {
          await expect(call()).rejects.toMatchObject({ code: 'USER_NOT_FOUND', grpcStatus: 5 });
        }
        for (const [method, body] of [['GET'], ['PUT', { age: 1 }], ['DELETE']] as const) {
          expect(await user.http(method, `/${id}`, body)).toMatchObject({ status: 404, code: 40402, data: {} });
        }
      }
    });

    it('is found in lists by name, not after it is deleted', async () => {
      const name = randomUUID();
      const { id } = await newUser({ name: `${name} 100%` });
      const { id: other } = await newUser({ name: `${name} 100x` });
      const find = async (value: string) => {
        const columns = [{ name: 'name', exp: 'like', value, logic: '' }];
        const { users } = await user.grpc.list({ params: { page: 0, limit: 0, sort: 'id', columns } });
        return users.map((one) => one.id);
      };
      expect(await find(name)).toEqual([id, other]);
      expect(await find(`${name} 100%`)).toEqual([id]);
      await user.grpc.deleteByID({ id });
      expect(await find(name)).toEqual([other]);
    });
  });

  describe('its password', () => {
    it('is in no reply, on neither transport', async () => {
      const { id, email } = await newUser();
      const params = { page: 0, limit: 10, sort: '', columns: [{ name: 'email', exp: '=', value: email, logic: '' }] };
      const answers = [
        await user.http('POST', '', newValues()),
        await user.http('GET', `/${id}`),
        await user.http('POST', '/list', { params }),
        await user.http('PUT', `/${id}`, { password: `${PASSWORD}!` }),
        await user.http('PUT', `/${id}`, { password: PASSWORD, age: 400 }),
        await user.http('POST', '', newValues({ email })),
        await user.http('DELETE', `/${id}`),
      ];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 400, 409, 200]);
      expect(answers[2]?.data.total).toBe(1);
      const replies: unknown[] = answers.map((answer) => JSON.stringify(answer));

      const { id: again } = await user.grpc.create(newValues({ email }));
      replies.push(
        await user.grpc.getByID({ id: again }),
        await user.grpc.list({ params }),
        await user.grpc.updateByID({ id: again, password: PASSWORD }),
        await user.grpc.deleteByID({ id: again }),
      );
      for (const reply of replies.map((one) => JSON.stringify(one))) {
        expect(reply).not.toMatch(/password|scrypt|correct horse/);
      }
    });

    it('is in no line of the log, whatever fails', async () => {
      const lines: string[] = [];
      const logStream = { write: (line: string) => void lines.push(line) };
      const logged = await startUser({ logStream, overrides: { log: { level: 'trace' } } });
      try {
        const values = newValues();
        const { data } = await logged.http('POST', '', values);
        await logged.http('POST', '', values);
        await logged.http('PUT', `/${data.id}`, { password: PASSWORD, age: -1 });
        await expect(logged.grpc.create(values)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
        await logged.service.database?.query('RENAME TABLE user TO away');
        expect(await logged.http('POST', '', newValues())).toMatchObject({ status: 500 });
        await expect(logged.grpc.updateByID({ id: 1, password: PASSWORD })).rejects.toMatchObject({ code: 'INTERNAL' });
        const log = lines.join('\n');
        expect(log).toContain('"status":500');
        expect(log).not.toMatch(/correct horse|scrypt/);
      } finally {
        await logged.service.close();
      }
    });

    it('is not named even where it breaks the rules', async () => {
      const answer = await user.http('POST', '', newValues({ password: 'seven77' }));
      expect(answer).toMatchObject({ status: 400, violations: [{ field: 'password', rule: 'string.min_len' }] });
      expect(JSON.stringify(answer)).not.toContain('seven77');
    });

    it('cannot be asked for by a list: neither filter nor order know it', async () => {
      const columns = [{ name: 'password', exp: 'like', value: 'scrypt' }];
      for (const params of [{ columns }, { sort: 'password' }]) {
        expect(await user.http('POST', '/list', { params })).toMatchObject({ status: 400, code: 40000, data: {} });
      }
    });

    it('is stored as a hash that was made of it', async () => {
      const { id } = await newUser();
      const { password } = await rowOf(id);
      expect(password).toMatch(/^scrypt\$/);
      expect(password).not.toContain(PASSWORD);
      expect(await verifyPassword(PASSWORD, password)).toBe(true);
    });

    it('is hashed again when it is changed, and left alone when something else is', async () => {
      const { id } = await newUser();
      const { password: first } = await rowOf(id);
      await user.grpc.updateByID({ id, name: 'Bea' });
      expect((await rowOf(id)).password).toBe(first);
      await user.grpc.updateByID({ id, password: 'battery staple' });
      const { password: second } = await rowOf(id);
      expect(await verifyPassword('battery staple', second)).toBe(true);
      expect(await verifyPassword(PASSWORD, second)).toBe(false);
    });
  });

  describe('its e-mail address', () => {
    it('is one user’s only, in whatever case it is written', async () => {
      const { email } = await newUser();
      for (const taken of [email, email.toUpperCase()]) {
        await expect(user.grpc.create(newValues({ email: taken }))).rejects.toMatchObject({
          code: 'ALREADY_EXISTS',
          grpcStatus: 6,
        });
        expect(await user.http('POST', '', newValues({ email: taken }))).toMatchObject({
          status: 409,
          code: 40901,
          data: {},
        });
      }
    });

    it('cannot be taken over by a change', async () => {
      const { email } = await newUser();
      const { id, email: own } = await newUser();
      await expect(user.grpc.updateByID({ id, email, age: 99 })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
      expect(await read(id)).toMatchObject({ email: own, age: 30 });
      expect(await user.grpc.updateByID({ id, email: own })).toEqual({});
    });

    it('goes to one of many who ask for it at the same time', async () => {
      const values = newValues();
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => user.grpc.create(values)));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'ALREADY_EXISTS' });
      }
    });

    it('can be used again once its user is deleted, as often as that happens', async () => {
      const email = newEmail();
      const ids: number[] = [];
      for (let i = 0; i < 3; i++) {
        const { id } = await newUser({ email });
        ids.push(id);
        await user.grpc.deleteByID({ id });
      }
      const { id } = await newUser({ email });
      expect(await read(id)).toMatchObject({ email });
      for (const deleted of ids) expect(await rowOf(deleted)).toMatchObject({ email, deleted_at: expect.any(Date) });
    });

    it('goes to one of many who already wait for it when its user is deleted', async () => {
      const { database } = user.service;
      if (!database) throw new Error('no database');
      const values = newValues();
      const { id } = await user.grpc.create(values);
      await database.query('START TRANSACTION');
      await database.query('UPDATE user SET deleted_at = CURRENT_TIMESTAMP(3) WHERE id = ?', [id]);
      const asked = Promise.allSettled(Array.from({ length: 8 }, () => user.grpc.create(values)));
      const waiting =
        "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'INSERT INTO `user`%'";
      while ((await database.query(waiting)).length < 3) await setTimeout(10);
      await database.query('COMMIT');
      const results = await asked;
      const made = results.filter((result) => result.status === 'fulfilled');
      expect(made).toHaveLength(1);
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'ALREADY_EXISTS' });
      }
      const rows = await database.query('SELECT id FROM user WHERE live_email = ?', [values.email]);
      expect(rows).toEqual([{ id: made[0]?.value.id }]);
    });

    it('is free again when its user takes another', async () => {
      const { id, email } = await newUser();
      await user.grpc.updateByID({ id, email: newEmail() });
      await expect(newUser({ email })).resolves.toMatchObject({ email });
    });
  });

  describe('that breaks a rule', () => {
    it('is refused with every field and its rule, on both transports, and not stored', async () => {
      const broken = newValues({
        name: '',
        password: 'short',
        email: 'nobody',
        age: 128,
        gender: 3,
        status: 9,
        loginType: 5,
      });
      const fields = ['name', 'password', 'email', 'age', 'gender', 'status', 'loginType'];
      const count = async () => (await user.grpc.list({ params: { page: 0, limit: 1, sort: '', columns: [] } })).total;
      const before = await count();
      const answer = await user.http('POST', '', broken);
      expect(answer).toMatchObject({ status: 400, code: 40000, data: {} });
      expect(answer.violations?.map(({ field }) => field)).toEqual(fields);
      await expect(user.grpc.create(broken)).rejects.toMatchObject({
        code: 'INVALID_PARAMETER',
        grpcStatus: 3,
        violations: fields.map((field) => ({ field })),
      });
      expect(await count()).toBe(before);
    });
  });
});
