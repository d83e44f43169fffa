import { Crud, InjectRepository, messageOf } from '@eshop/nest-service/mysql';
import {
  type CreateProductReply,
  type CreateProductRequest,
  type DeleteProductByIDReply,
  type GetProductByIDReply,
  type ListProductReply,
  type ListProductRequest,
  productColumns,
  type UpdateProductByIDReply,
  type UpdateProductByIDRequest,
} from '@eshop/proto/product';
import { Injectable } from '@nestjs/common';
import type { Repository } from 'typeorm';
import { Product } from './product.entity.js';

/** Products and their prices. */
@Injectable()
export class ProductService {
  private readonly crud: Crud<Product>;
  private readonly message = messageOf('product', productColumns);

  constructor(@InjectRepository(Product) products: Repository<Product>) {
    this.crud = new Crud(products, { notFound: 'PRODUCT_NOT_FOUND', columns: productColumns });
  }

  create(request: CreateProductRequest): Promise<CreateProductReply> {
    return this.crud.create(request);
  }

  deleteByID(id: number): Promise<DeleteProductByIDReply> {
    return this.crud.remove(id);
  }

  updateByID({ id, ...changes }: UpdateProductByIDRequest): Promise<UpdateProductByIDReply> {
    return this.crud.update(id, changes);
  }

  async getByID(id: number): Promise<GetProductByIDReply> {
    return { product: this.message(await this.crud.get(id)) };
  }

  async list(params: ListProductRequest['params']): Promise<ListProductReply> {
    const { total, rows } = await this.crud.list(params);
    return { total, products: rows.map(this.message) };
  }
}
