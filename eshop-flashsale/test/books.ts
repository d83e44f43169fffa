import { ContractError } from '@eshop/proto';
import { OrderService, type SaleUser } from '@eshop/proto/order';
import { type FlashSale, StockService } from '@eshop/proto/stock';
import { type handleUnaryCall, Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';

/** What stock and order have in their books of one product's sale. */
export interface Book {
  sale: FlashSale;
  allotted: number;
  pending: number;
  users: SaleUser[];
}

/** The stock and the order service as this one sees them: a real gRPC server with books in memory. */
export class Books {
  readonly of = new Map<number, Book>();
  /** Called for each read, before it is answered. */
  onRead: (productID: number) => void = () => undefined;

  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  static async start(): Promise<Books> {
    const server = new Server();
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    const books = new Books(server, `127.0.0.1:${port}`);
    books.serve(StockService, 'getFlashSale', ({ sale, allotted }) => ({ flashSale: sale, allotted, stock: allotted }));
    books.serve(OrderService, 'saleOrders', ({ pending, users }) => ({ pending, users }));
    return books;
  }

  close(): void {
    this.server.forceShutdown();
  }

  private serve(definition: ServiceDefinition, method: string, read: (book: Book) => object): void {
    const answer: handleUnaryCall<{ productID: number }, object> = ({ request }, done) => {
      this.onRead(request.productID);
      const book = this.of.get(request.productID);
      if (book) done(null, read(book));
      else done({ code: new ContractError('NOT_FOUND').grpcStatus, details: 'no sale' });
    };
    const refuse: handleUnaryCall<object, object> = (_call, done) => done({ code: 12 });
    const names = Object.keys(definition);
    this.server.addService(
      definition,
      Object.fromEntries(names.map((name) => [name, name === method ? answer : refuse])),
    );
  }
}
