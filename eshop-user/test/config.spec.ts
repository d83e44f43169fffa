import { unnamedSettings } from '@eshop/nest-service/testing';
import { userContract } from '@eshop/proto/user';
import { configSchema } from '../src/config.js';

describe('config/user.yaml', () => {
  it('names every setting with its default', () => {
    expect(unnamedSettings({ contract: userContract, config: configSchema })).toEqual([]);
  });
});
