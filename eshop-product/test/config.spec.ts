import { unnamedSettings } from '@eshop/nest-service/testing';
import { productContract } from '@eshop/proto/product';
import { configSchema } from '../src/config.js';

describe('config/product.yaml', () => {
  it('names every setting with its default', () => {
    expect(unnamedSettings({ contract: productContract, config: configSchema })).toEqual([]);
  });
});
