import {
  type CreateUserReply,
  type CreateUserRequest,
  type DeleteUserByIDReply,
  type DeleteUserByIDRequest,
  type GetUserByIDReply,
  type GetUserByIDRequest,
  type ListUserReply,
  type ListUserRequest,
  type UpdateUserByIDReply,
  type UpdateUserByIDRequest,
  UserApi,
} from '@eshop/proto/user';
import { UserService } from './user.service.js';

/** The public API of the user service. */
@UserApi()
export class UserController implements UserApi {
  constructor(private readonly users: UserService) {}

  create(request: CreateUserRequest): Promise<CreateUserReply> {
    return this.users.create(request);
  }

  deleteByID({ id }: DeleteUserByIDRequest): Promise<DeleteUserByIDReply> {
    return this.users.deleteByID(id);
  }

  updateByID(request: UpdateUserByIDRequest): Promise<UpdateUserByIDReply> {
    return this.users.updateByID(request);
  }

  getByID({ id }: GetUserByIDRequest): Promise<GetUserByIDReply> {
    return this.users.getByID(id);
  }

  list({ params }: ListUserRequest): Promise<ListUserReply> {
    return this.users.list(params);
  }
}
