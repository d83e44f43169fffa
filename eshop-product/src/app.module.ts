import { MysqlModule } from '@eshop/nest-service/mysql';
import { Module } from '@nestjs/common';
import { CreateProduct1700000000001 } from './migrations/1700000000001-create-product.js';
import { ProductVersion1700000000002 } from './migrations/1700000000002-product-version.js';
import { Product } from './product/product.entity.js';
import { ProductModule } from './product/product.module.js';

@Module({
  imports: [
    MysqlModule.forRoot({ entities: [Product], migrations: [CreateProduct1700000000001, ProductVersion1700000000002] }),
    ProductModule,
  ],
})
export class AppModule {}
