import { unnamedSettings } from '@eshop/nest-service/testing';
import { payContract } from '@eshop/proto/pay';
import { configSchema } from '../src/config.js';

describe('config/pay.yaml', () => {
  it('names every setting with its default', () => {
    expect(unnamedSettings({ contract: payContract, config: configSchema })).toEqual([]);
  });
});
