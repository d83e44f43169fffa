import { unnamedSettings } from '@eshop/nest-service/testing';
import { stockContract } from '@eshop/proto/stock';
import { configSchema } from '../src/config.js';

describe('config/stock.yaml', () => {
  it('names every setting', () => {
    expect(unnamedSettings({ contract: stockContract, config: configSchema })).toEqual([]);
  });
});
