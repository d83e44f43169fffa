import { Crud, InjectRepository, messageOf } from '@eshop/nest-service/mysql';
import {
  type CreateUserReply,
  type CreateUserRequest,
  type DeleteUserByIDReply,
  type GetUserByIDReply,
  type ListUserReply,
  type ListUserRequest,
  type UpdateUserByIDReply,
  type UpdateUserByIDRequest,
  userColumns,
} from '@eshop/proto/user';
import { Injectable } from '@nestjs/common';
import type { Repository } from 'typeorm';
import { hashPassword } from './password.js';
import { User } from './user.entity.js';

/** Users. Their passwords come in and never go out. */
@Injectable()
export class UserService {
  private readonly crud: Crud<User>;
  private readonly message = messageOf('user', userColumns);

  constructor(@InjectRepository(User) users: Repository<User>) {
    this.crud = new Crud(users, { notFound: 'USER_NOT_FOUND', columns: userColumns, duplicate: 'ALREADY_EXISTS' });
  }

  async create(request: CreateUserRequest): Promise<CreateUserReply> {
    return this.crud.create({ ...request, password: await hashPassword(request.password) });
  }

  deleteByID(id: number): Promise<DeleteUserByIDReply> {
    return this.crud.remove(id);
  }

  async updateByID({ id, password, ...changes }: UpdateUserByIDRequest): Promise<UpdateUserByIDReply> {
    return this.crud.update(id, {
      ...changes,
      password: password === undefined ? undefined : await hashPassword(password),
    });
  }

  async getByID(id: number): Promise<GetUserByIDReply> {
    return { user: this.message(await this.crud.get(id)) };
  }

  async list(params: ListUserRequest['params']): Promise<ListUserReply> {
    const { total, rows } = await this.crud.list(params);
    return { total, users: rows.map(this.message) };
  }
}
