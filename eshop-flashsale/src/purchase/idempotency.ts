import { createHash } from 'node:crypto';
import { InjectConfig } from '@eshop/nest-service';
import { type CodeName, ContractError } from '@eshop/proto';
import type { FlashSaleRequest } from '@eshop/proto/flashsale';
import { Injectable } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { Config } from '../config.js';
import { available } from '../redis/available.js';

/** What is kept under an Idempotency-Key. */
interface Kept {
  /** Digest of the request. */
  readonly body: string;
  readonly orderID: string;
  /** The final refusal, when there was one. */
  readonly refusal?: CodeName;
}

/** Longer than the 24 hours that clients are promised. */
const KEPT_SECONDS = 25 * 3600;

/** KEYS the key. ARGV the value that must be there, the new one (empty: none), seconds. */
const REPLACE = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1`;

/** Gives every repeat of a user's request the order id of the first. A key belongs to the user who sends it. */
@Injectable()
export class Idempotency {
  private readonly prefix: string;
  private readonly sharedPrefix: string;

  constructor(
    private readonly redis: Redis,
    @InjectConfig() config: Config,
  ) {
    this.prefix = `${config.flashSale.keyPrefix}idempotency:`;
    this.sharedPrefix = `${config.flashSale.keyPrefix}idem:`;
  }

  /**
   * Resolves with the order id to be used; `repeat`: somebody has it already. Throws IDEMPOTENCY_KEY_REUSED when the key came
   * with another request, and the refusal of the first when that was final.
   */
  async claim(key: string, request: FlashSaleRequest, orderID: string): Promise<{ orderID: string; repeat: boolean }> {
    const body = digest(request);
    const name = this.nameOf(key, request);
    await this.takeOver(this.sharedPrefix + key, name, body);
    for (;;) {
      const kept: Kept = { body, orderID };
      const set = this.redis.set(name, JSON.stringify(kept), 'EX', KEPT_SECONDS, 'NX');
      if (await available(set)) return { orderID, repeat: false };
      const before = await available(this.redis.get(name));
      // It can only have run out in this very moment.
      if (before === null) continue;
      const first = JSON.parse(before) as Kept;
      if (first.body !== body) throw new ContractError('IDEMPOTENCY_KEY_REUSED');
      if (first.refusal) throw new ContractError(first.refusal);
      return { orderID: first.orderID, repeat: true };
    }
  }

  /** Keeps a refusal that is final: a unit can never be bought with this order id any more. */
  refuse(key: string, request: FlashSaleRequest, orderID: string, refusal: CodeName): Promise<void> {
    const body = digest(request);
    return this.replace(this.nameOf(key, request), { body, orderID }, { body, orderID, refusal });
  }

  /** Gives up an order id that came to nothing, so that the next repeat gets another. */
  release(key: string, request: FlashSaleRequest, orderID: string): Promise<void> {
    return this.replace(this.nameOf(key, request), { body: digest(request), orderID }, undefined);
  }

  /** Only what is known to be there: by now the key may have another order id. */
  private async replace(name: string, before: Kept, after: Kept | undefined): Promise<void> {
    const values = [JSON.stringify(before), after ? JSON.stringify(after) : '', KEPT_SECONDS];
    await available(this.redis.eval(REPLACE, 1, name, ...values));
  }

  private nameOf(key: string, { userID }: FlashSaleRequest): string {
    return `${this.prefix}${userID}:${key}`;
  }

  /**
   * Version 0.1 kept keys for all users together; what it kept runs out a day after the update. The digest, which the user is part
   * of, tells whose a key is. It is gone only when the user has it, so that nobody buys twice meanwhile.
   */
  private async takeOver(shared: string, name: string, body: string): Promise<void> {
    const before = await available(this.redis.get(shared));
    if (before === null || (JSON.parse(before) as Kept).body !== body) return;
    await available(this.redis.set(name, before, 'EX', KEPT_SECONDS, 'NX'));
    await available(this.redis.del(shared));
  }
}

function digest({ userID, productID, amount }: FlashSaleRequest): string {
  return createHash('sha256').update(`${userID} ${productID} ${amount}`).digest('base64url');
}
