import { unnamedSettings } from '@eshop/nest-service/testing';
import { orderContract } from '@eshop/proto/order';
import { configSchema } from '../src/config.js';

it('config/order.yaml names every setting', () => {
  expect(unnamedSettings({ contract: orderContract, config: configSchema })).toEqual([]);
});
