import { StockService } from '@eshop/proto/stock';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';

export type Handler = (call: ServerUnaryCall<unknown, unknown>, answer: sendUnaryData<unknown>) => void;

/** A replica of the stock service; counts the calls that it was given. */
export class Replica {
  calls = 0;
  port = 0;
  behave: Handler = (_call, answer) => answer(null, { stock: undefined });
  private server = new Server();

  /** Again at the same port when it has been there before. */
  async start(): Promise<void> {
    this.server = new Server();
    const handler: Handler = (call, answer) => {
      this.calls++;
      this.behave(call, answer);
    };
    this.server.addService(StockService, Object.fromEntries(Object.keys(StockService).map((key) => [key, handler])));
    this.port = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync(`127.0.0.1:${this.port}`, ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
  }

  kill(): void {
    this.server.forceShutdown();
  }
}
