import { unnamedSettings } from '@eshop/nest-service/testing';
import { eshopContract } from '@eshop/proto/gateway';
import { configSchema } from '../src/config.js';

describe('config/eshop_gw.yaml', () => {
  it('names every setting with its default', () => {
    expect(unnamedSettings({ contract: eshopContract, config: configSchema })).toEqual([]);
  });
});
