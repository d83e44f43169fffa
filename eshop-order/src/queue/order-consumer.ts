import { InjectConfig } from '@eshop/nest-service';
import { DeadLetter, KafkaConsumers, type KafkaRecord } from '@eshop/nest-service/kafka';
import { ContractError } from '@eshop/proto';
import { type QueuedOrder, queuedOrderRecord } from '@eshop/proto/order';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { OrderConfig } from '../config.js';
import { Pace } from './pace.js';
import { OrderIDTaken, QueuedOrders } from './queued-orders.js';

/** Takes orders from the queue. A record's offset is committed when its order is final or DTM has its saga. */
@Injectable()
export class OrderConsumer implements OnApplicationBootstrap {
  private readonly underWay = new Map<string, Promise<void>>();

  constructor(
    private readonly consumers: KafkaConsumers,
    private readonly orders: QueuedOrders,
    private readonly pace: Pace,
    @InjectConfig() private readonly config: OrderConfig,
  ) {}

  onApplicationBootstrap(): void {
    const { orderTopic, orderGroup, consumer } = this.config.kafka;
    this.consumers.start({
      ...consumer,
      topic: orderTopic,
      groupID: orderGroup,
      handle: (record) => this.handle(record),
    });
  }

  private async handle(record: KafkaRecord): Promise<void> {
    const order = read(record);
    try {
      await this.pace.inTurn(() => this.afterOthersOf(order));
    } catch (error) {
      if (error instanceof OrderIDTaken) throw new DeadLetter('CONFLICT', error.message, { cause: error });
      throw error;
    }
  }

  /** Records with the same order id one after the other, so that the second finds what became of the first. */
  private async afterOthersOf(order: QueuedOrder): Promise<void> {
    const { orderID } = order;
    const before = this.underWay.get(orderID) ?? Promise.resolve();
    const current = before.catch(() => undefined).then(() => this.orders.carryOut(order));
    this.underWay.set(orderID, current);
    try {
      await current;
    } finally {
      if (this.underWay.get(orderID) === current) this.underWay.delete(orderID);
    }
  }
}

function read({ value }: KafkaRecord): QueuedOrder {
  try {
    return queuedOrderRecord.read(value);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    const rules = error.violations.map(({ field, description }) => `${field} ${description}`);
    throw new DeadLetter(error.code, [error.message, ...rules].join('; '), { cause: error });
  }
}
