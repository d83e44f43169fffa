import { DtmOutcomeUnknown, DtmService, DtmUnavailable } from '@eshop/nest-dtm';
import { ContractError } from '@eshop/proto';
import { FlashSaleService } from '@eshop/proto/flashsale';
import { Injectable } from '@nestjs/common';
import type { Submission } from './submission.js';

/** Returns the unit of a flash sale that a cancelled order held. */
@Injectable()
export class SaleUnits {
  constructor(private readonly dtm: DtmService) {}

  /** Hands DTM a message that returns the unit; the same however often it is called. Throws UNAVAILABLE: try again later. */
  async giveBack({ orderID, productID, saleID, requestID }: Submission): Promise<void> {
    if (saleID === 0) return;
    try {
      await this.dtm
        .message(`${orderID}-return`, { headers: { request_id: requestID } })
        .step(FlashSaleService.returnUnit, { productID, saleID, orderID })
        .submit();
    } catch (cause) {
      if (!(cause instanceof DtmUnavailable || cause instanceof DtmOutcomeUnknown)) throw cause;
      throw new ContractError('UNAVAILABLE', 'DTM cannot be reached', { cause });
    }
  }
}
