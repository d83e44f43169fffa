import { unnamedSettings } from '@eshop/nest-service/testing';
import { couponContract } from '@eshop/proto/coupon';
import { configSchema } from '../src/config.js';

describe('config/coupon.yaml', () => {
  it('names every setting with its default', () => {
    expect(unnamedSettings({ contract: couponContract, config: configSchema })).toEqual([]);
  });
});
