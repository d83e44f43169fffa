import { ContractError, codes } from '@eshop/proto';

const all = Object.values(codes);

describe('codes', () => {
  it('have numbers of their own, which begin with the HTTP status', () => {
    expect(new Set(all.map((def) => def.code)).size).toBe(all.length);
    for (const { name, code, httpStatus } of all) {
      if (name !== 'OK') expect(Math.floor(code / 100)).toBe(httpStatus);
    }
    expect(codes.OK).toMatchObject({ code: 0, httpStatus: 200, grpcStatus: 0 });
  });

  it('use standard gRPC statuses and say what they mean', () => {
    for (const { name, grpcStatus, msg, description } of all) {
      if (name !== 'OK') expect(grpcStatus).toBeGreaterThan(0);
      expect(grpcStatus).toBeLessThanOrEqual(16);
      expect(msg).not.toBe('');
      expect(description).toMatch(/\.$/);
    }
  });

  it('never answer a refusal with FAILED_PRECONDITION, which DTM reads as "still going on"', () => {
    expect(all.filter((def) => def.grpcStatus === 9).map((def) => def.name)).toEqual(['TOO_EARLY']);
    expect(all.filter((def) => def.httpStatus === 409 && def.grpcStatus !== 10).map((def) => def.name)).toEqual([
      'ALREADY_EXISTS',
    ]);
  });

  // A number that a client knows must not change.
  it('keep their numbers', () => {
    expect(Object.fromEntries(all.map((def) => [def.name, def.code]))).toMatchObject({
      INVALID_PARAMETER: 40000,
      UNAUTHENTICATED: 40100,
      NOT_FOUND: 40400,
      ALREADY_EXISTS: 40901,
      STOCK_INSUFFICIENT: 40902,
      FLASH_SALE_SOLD_OUT: 40911,
      FLASH_SALE_LIMIT_REACHED: 40913,
      VERSION_CONFLICT: 40914,
      FLASH_SALE_LOST: 40915,
      INTERNAL: 50000,
      UNAVAILABLE: 50300,
    });
  });
});

describe('ContractError', () => {
  it('carries its code on both transports', () => {
    const cause = new Error('why');
    const error = new ContractError('STOCK_INSUFFICIENT', undefined, { metadata: { productID: '1' }, cause });
    expect(error).toMatchObject({
      code: 'STOCK_INSUFFICIENT',
      httpStatus: 409,
      grpcStatus: 10,
      message: 'Not enough stock',
      cause,
    });
    expect(error.metadata).toEqual({ productID: '1' });
    expect(error.violations).toEqual([]);
    expect(new ContractError('NOT_FOUND', 'no such thing').message).toBe('no such thing');
  });
});
