import {
  type CreateProductReply,
  type CreateProductRequest,
  type DeleteProductByIDReply,
  type DeleteProductByIDRequest,
  type GetProductByIDReply,
  type GetProductByIDRequest,
  type ListProductReply,
  type ListProductRequest,
  ProductApi,
  type UpdateProductByIDReply,
  type UpdateProductByIDRequest,
} from '@eshop/proto/product';
import { ProductService } from './product.service.js';

/** The public API of the product service. */
@ProductApi()
export class ProductController implements ProductApi {
  constructor(private readonly products: ProductService) {}

  create(request: CreateProductRequest): Promise<CreateProductReply> {
    return this.products.create(request);
  }

  deleteByID({ id }: DeleteProductByIDRequest): Promise<DeleteProductByIDReply> {
    return this.products.deleteByID(id);
  }

  updateByID(request: UpdateProductByIDRequest): Promise<UpdateProductByIDReply> {
    return this.products.updateByID(request);
  }

  getByID({ id }: GetProductByIDRequest): Promise<GetProductByIDReply> {
    return this.products.getByID(id);
  }

  list({ params }: ListProductRequest): Promise<ListProductReply> {
    return this.products.list(params);
  }
}
