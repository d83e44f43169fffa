import { DtmBackCheck, DtmBranches } from '@eshop/nest-dtm';
import { RedisTransaction } from '@eshop/nest-dtm/redis';
import { bindController } from '@eshop/proto';
import {
  type FlashSaleSaga,
  flashSaleContract,
  type GrantUnitsReply,
  type GrantUnitsRequest,
  type RedisQueryPreparedReply,
  type WithdrawUnitsReply,
  type WithdrawUnitsRequest,
} from '@eshop/proto/flashsale';
import { SaleCounters } from './sale-counters.js';
import { GRANT_UNITS } from './scripts/grant-units.lua.js';
import { PUT_BACK_UNITS, WITHDRAW_UNITS } from './scripts/withdraw-units.lua.js';

/** The counter's side of the saga that changes a sale, each script at most once per saga; and the back-check of purchases. */
@bindController(flashSaleContract, ['withdrawUnits', 'withdrawUnitsRevert', 'grantUnits', 'redisQueryPrepared'])
@DtmBranches()
export class SaleSagaController
  implements Pick<FlashSaleSaga, 'withdrawUnits' | 'withdrawUnitsRevert' | 'grantUnits' | 'redisQueryPrepared'>
{
  constructor(
    private readonly transaction: RedisTransaction,
    private readonly counters: SaleCounters,
  ) {}

  async withdrawUnits(request: WithdrawUnitsRequest): Promise<WithdrawUnitsReply> {
    return this.withdrawal(WITHDRAW_UNITS, request);
  }

  async withdrawUnitsRevert(request: WithdrawUnitsRequest): Promise<WithdrawUnitsReply> {
    return this.withdrawal(PUT_BACK_UNITS, request);
  }

  async grantUnits(request: GrantUnitsRequest): Promise<GrantUnitsReply> {
    const { productID, saleID, version, units: granted, withdrawn, status, begins } = request;
    const { sale, units, users } = this.counters.keys(productID);
    const terms = [request.limitPerUser, request.opensAtMs, request.closesAtMs];
    await this.transaction.run({
      keys: [sale, units, users],
      args: [saleID, version, granted, withdrawn, ...terms, status, begins, this.transaction.branch.gid],
      script: GRANT_UNITS,
    });
    return {};
  }

  /** The barrier answers. */
  @DtmBackCheck()
  async redisQueryPrepared(): Promise<RedisQueryPreparedReply> {
    return {};
  }

  private async withdrawal(script: string, request: WithdrawUnitsRequest): Promise<WithdrawUnitsReply> {
    const { productID, saleID, version, units } = request;
    await this.transaction.run({
      keys: [this.counters.keys(productID).sale],
      args: [saleID, version, units, this.transaction.branch.gid],
      script,
    });
    return {};
  }
}
