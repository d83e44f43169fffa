import { Controller, Get, Post } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { type Barrier, DtmBackCheck, DtmBranches, DtmModule, type DtmModuleOptions } from '../src/index.js';

const barrier: Barrier = { call: () => Promise.reject(new Error('not called')) };

@Controller()
@DtmBranches()
class Plain {
  @Post()
  pay(): void {}
}

@Controller()
@DtmBranches({ barrier: 'redis' })
class Named {
  @Post()
  take(): void {}
}

@Controller()
class Asked {
  @Get()
  @DtmBackCheck()
  asked(): void {}
}

@Controller()
@DtmBranches({ barrier: false })
class Bare {
  @Post()
  giveBack(): void {}
}

async function start(controller: new () => object, option: DtmModuleOptions['barrier']): Promise<void> {
  const module = await Test.createTestingModule({
    imports: [DtmModule.forRoot({ servers: {}, signature: false, barrier: option })],
    controllers: [controller],
  }).compile();
  await module.init();
  await module.close();
}

describe('a branch whose barrier is not there fails at start, by its name', () => {
  test.each<[string, new () => object, DtmModuleOptions['barrier']]>([
    ['Plain.pay needs a default barrier; there is none', Plain, undefined],
    ['Plain.pay needs a default barrier; there is "a", "b"', Plain, { a: barrier, b: barrier }],
    ['Named.take needs a barrier "redis"; there is "default"', Named, barrier],
    ['Asked.asked needs a default barrier', Asked, undefined],
    ['Asked.asked is a back-check, and its barrier cannot answer one', Asked, barrier],
  ])('%s', async (message, controller, option) => {
    await expect(start(controller, option)).rejects.toMatchObject({
      field: 'barrier',
      message: expect.stringContaining(message),
    });
  });

  test.each<[string, new () => object, DtmModuleOptions['barrier']]>([
    ['the one barrier is the default', Plain, barrier],
    ['a record of one has a default too', Plain, { mine: barrier }],
    ['among several `default` is the default', Plain, { default: barrier, other: barrier }],
    ['one by name', Named, { redis: barrier, other: barrier }],
    ['a back-check that its barrier answers', Asked, { ...barrier, backCheck: () => Promise.resolve('done') }],
    ['no barrier wanted', Bare, undefined],
  ])('%s', async (_, controller, option) => {
    await expect(start(controller, option)).resolves.toBeUndefined();
  });

  test('@DtmBackCheck() is for methods', () => {
    expect(() => DtmBackCheck()({}, 'x', { value: 1 } as TypedPropertyDescriptor<unknown>)).toThrow(TypeError);
  });
});
