import { readmeSettings, unnamedSettings } from '@eshop/nest-service/testing';
import { couponContract } from '@eshop/proto/coupon';
import { configSchema } from '../src/config.js';

const service = { contract: couponContract, config: configSchema };

describe('the settings', () => {
  it('are all in config/coupon.yaml, with their defaults', () => {
    expect(unnamedSettings(service)).toEqual([]);
  });

  it('are shown by the README as they are: `npm run settings` writes them', () => {
    const { shown, actual } = readmeSettings(service);
    expect(shown).toBe(actual);
  });
});
