import { MysqlModule } from '@eshop/nest-service/mysql';
import { Module } from '@nestjs/common';
import { CreateUser1700000000001 } from './migrations/1700000000001-create-user.js';
import { UserVersion1700000000002 } from './migrations/1700000000002-user-version.js';
import { User } from './user/user.entity.js';
import { UserModule } from './user/user.module.js';

@Module({
  imports: [
    MysqlModule.forRoot({ entities: [User], migrations: [CreateUser1700000000001, UserVersion1700000000002] }),
    UserModule,
  ],
})
export class AppModule {}
