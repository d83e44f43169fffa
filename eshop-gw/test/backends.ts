import { z } from '@eshop/nest-service';
import { startTestService } from '@eshop/nest-service/testing';
import { ContractError } from '@eshop/proto';
import {
  FlashSaleApi,
  type FlashSaleReply,
  type FlashSaleRequest,
  flashSaleContract,
  type GetByOrderIDReply as GetFlashOrderReply,
  type GetByOrderIDRequest as GetFlashOrderRequest,
} from '@eshop/proto/flashsale';
import {
  type GetByOrderIDReply,
  type GetByOrderIDRequest,
  type ListOrderReply,
  type ListOrderRequest,
  OrderApi,
  orderContract,
  type SubmitOrderReply,
  type SubmitOrderRequest,
} from '@eshop/proto/order';
import { type GetPayByOrderIDReply, type GetPayByOrderIDRequest, PayApi, payContract } from '@eshop/proto/pay';
import {
  type SetFlashSaleStockReply,
  type SetFlashSaleStockRequest,
  StockApi,
  stockContract,
} from '@eshop/proto/stock';
import { Module } from '@nestjs/common';

/** What the order, the pay, the stock and the flashSale service are to answer; a spec sets it before it asks the gateway. */
export const answers: {
  submit?: (request: SubmitOrderRequest) => SubmitOrderReply;
  list?: (request: ListOrderRequest) => ListOrderReply;
  order?: (request: GetByOrderIDRequest) => GetByOrderIDReply;
  pay?: (request: GetPayByOrderIDRequest) => GetPayByOrderIDReply;
  flashOrder?: (request: GetFlashOrderRequest) => GetFlashOrderReply;
  buy?: (request: FlashSaleRequest) => FlashSaleReply;
  setSale?: (request: SetFlashSaleStockRequest) => SetFlashSaleStockReply;
} = {};

async function answer<Q, R>(make: ((request: Q) => R) | undefined, request: Q): Promise<R> {
  if (!make) throw unasked();
  return make(request);
}

const unasked = () => new ContractError('UNIMPLEMENTED', 'no spec asks for this');

@OrderApi()
class Orders implements OrderApi {
  submit(request: SubmitOrderRequest) {
    return answer(answers.submit, request);
  }
  list(request: ListOrderRequest) {
    return answer(answers.list, request);
  }
  getByOrderID(request: GetByOrderIDRequest) {
    return answer(answers.order, request);
  }
  async sendSubmitOrderNotify(): Promise<never> {
    throw unasked();
  }
  async saleOrders(): Promise<never> {
    throw unasked();
  }
  async deleteByID(): Promise<never> {
    throw unasked();
  }
  async updateByID(): Promise<never> {
    throw unasked();
  }
  async getByID(): Promise<never> {
    throw unasked();
  }
}

@PayApi()
class Pays implements PayApi {
  getByOrderID(request: GetPayByOrderIDRequest) {
    return answer(answers.pay, request);
  }
  async deleteByID(): Promise<never> {
    throw unasked();
  }
  async updateByID(): Promise<never> {
    throw unasked();
  }
  async getByID(): Promise<never> {
    throw unasked();
  }
  async list(): Promise<never> {
    throw unasked();
  }
}

@FlashSaleApi()
class FlashSales implements FlashSaleApi {
  getByOrderID(request: GetFlashOrderRequest) {
    return answer(answers.flashOrder, request);
  }
  flashSale(request: FlashSaleRequest) {
    return answer(answers.buy, request);
  }
  async getSale(): Promise<never> {
    throw unasked();
  }
  async rebuildSale(): Promise<never> {
    throw unasked();
  }
}

@StockApi()
class Stocks implements StockApi {
  setFlashSaleStock(request: SetFlashSaleStockRequest) {
    return answer(answers.setSale, request);
  }
  async create(): Promise<never> {
    throw unasked();
  }
  async deleteByID(): Promise<never> {
    throw unasked();
  }
  async updateByID(): Promise<never> {
    throw unasked();
  }
  async getByID(): Promise<never> {
    throw unasked();
  }
  async list(): Promise<never> {
    throw unasked();
  }
  async getFlashSale(): Promise<never> {
    throw unasked();
  }
  async listFlashSale(): Promise<never> {
    throw unasked();
  }
  async updateFlashSale(): Promise<never> {
    throw unasked();
  }
  async deleteFlashSale(): Promise<never> {
    throw unasked();
  }
}

@Module({ controllers: [Orders] })
class OrdersModule {}

@Module({ controllers: [Pays] })
class PaysModule {}

@Module({ controllers: [Stocks] })
class StocksModule {}

@Module({ controllers: [FlashSales] })
class FlashSalesModule {}

/** The services that the gateway puts together, on real gRPC by their real contract, without data behind them. */
export async function startBackends() {
  const config = z.object({});
  const order = await startTestService(OrdersModule, { contract: orderContract, config });
  const pay = await startTestService(PaysModule, { contract: payContract, config });
  const stock = await startTestService(StocksModule, { contract: stockContract, config });
  const flashSale = await startTestService(FlashSalesModule, { contract: flashSaleContract, config });
  return {
    addresses: {
      order: order.grpcAddress,
      pay: pay.grpcAddress,
      stock: stock.grpcAddress,
      flashSale: flashSale.grpcAddress,
    },
    close: async () => {
      await order.close();
      await pay.close();
      await stock.close();
      await flashSale.close();
    },
  };
}
