import { readmeSettings, unnamedSettings } from '@eshop/nest-service/testing';
import { stockContract } from '@eshop/proto/stock';
import { configSchema } from '../src/config.js';

const service = { contract: stockContract, config: configSchema };

describe('the settings', () => {
  it('are all in config/stock.yaml, with their defaults', () => {
    expect(unnamedSettings(service)).toEqual([]);
  });

  it('are shown by the README as they are: `npm run settings` writes them', () => {
    const { shown, actual } = readmeSettings(service);
    expect(shown).toBe(actual);
  });
});
