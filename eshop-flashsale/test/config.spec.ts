import { readmeSettings, unnamedSettings } from '@eshop/nest-service/testing';
import { flashSaleContract } from '@eshop/proto/flashsale';
import { configSchema } from '../src/config.js';

const service = { contract: flashSaleContract, config: configSchema };

describe('the settings', () => {
  it('are all in config/flashSale.yaml, with their defaults', () => {
    expect(unnamedSettings(service)).toEqual([]);
  });

  it('are shown by the README as they are: `npm run settings` writes them', () => {
    const { shown, actual } = readmeSettings(service);
    expect(shown).toBe(actual);
  });
});
