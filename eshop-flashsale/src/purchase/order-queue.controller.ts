import { DtmBranches } from '@eshop/nest-dtm';
import { InjectConfig, requestContext } from '@eshop/nest-service';
import { KafkaProducer } from '@eshop/nest-service/kafka';
import { bindController } from '@eshop/proto';
import {
  type FlashSaleSaga,
  flashSaleContract,
  type ReturnUnitReply,
  type ReturnUnitRequest,
  type SendSubmitOrderNotifyReply,
  type SendSubmitOrderNotifyRequest,
} from '@eshop/proto/flashsale';
import { queuedOrderRecord } from '@eshop/proto/order';
import type { Config } from '../config.js';
import { SaleCounters } from '../sale/sale-counters.js';

/**
 * How an order enters the queue and how its unit comes back. Neither needs a barrier: the order id makes a second record
 * harmless to its reader, and a unit is held for an order once.
 */
@bindController(flashSaleContract, ['sendSubmitOrderNotify', 'returnUnit'])
@DtmBranches({ barrier: false })
export class OrderQueueController implements Pick<FlashSaleSaga, 'sendSubmitOrderNotify' | 'returnUnit'> {
  constructor(
    private readonly kafka: KafkaProducer,
    private readonly counters: SaleCounters,
    @InjectConfig() private readonly config: Config,
  ) {}

  async sendSubmitOrderNotify(order: SendSubmitOrderNotifyRequest): Promise<SendSubmitOrderNotifyReply> {
    const { requestID = '', traceparent = '' } = requestContext() ?? {};
    await this.kafka.send(this.config.flashSale.topic, {
      key: order.orderID,
      value: queuedOrderRecord.write(order),
      headers: { 'order-id': order.orderID, 'request-id': requestID, traceparent, source: 'flash' },
    });
    return {};
  }

  async returnUnit(request: ReturnUnitRequest): Promise<ReturnUnitReply> {
    await this.counters.returnUnit(request);
    return {};
  }
}
