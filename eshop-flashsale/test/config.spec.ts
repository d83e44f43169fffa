import { unnamedSettings } from '@eshop/nest-service/testing';
import { flashSaleContract } from '@eshop/proto/flashsale';
import { configSchema } from '../src/config.js';

describe('config/flashSale.yaml', () => {
  it('names every setting', () => {
    expect(unnamedSettings({ contract: flashSaleContract, config: configSchema })).toEqual([]);
  });
});
