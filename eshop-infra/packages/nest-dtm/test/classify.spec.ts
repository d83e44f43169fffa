import {
  BadRequestException,
  ConflictException,
  ForbiddenException,
  HttpException,
  NotFoundException,
  UnprocessableEntityException,
} from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { verdictOf } from '../src/branch/verdict.js';
import { type BranchOp, classify, isTransient, type Meaning, Ongoing, Refusal } from '../src/index.js';

const mysql = (errno: number, extra: object = {}) => Object.assign(new Error('mysql'), { errno, ...extra });
const nodes = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', errno: -111 });
const grpc = (grpcStatus: number) => Object.assign(new Error('grpc'), { grpcStatus });

describe('what an error of a branch means', () => {
  test.each<[string, unknown, Meaning]>([
    ['a Refusal', new Refusal('no'), 'refused'],
    ['Ongoing', new Ongoing('not yet'), 'ongoing'],
    ['not found', new NotFoundException(), 'refused'],
    ['forbidden', new ForbiddenException(), 'refused'],
    ['conflict', new ConflictException(), 'refused'],
    ['bad request', new BadRequestException(), 'invalid'],
    ['unprocessable', new UnprocessableEntityException(), 'invalid'],
    ['too early', new HttpException('early', 425), 'ongoing'],
    ['too many requests', new HttpException('slow down', 429), 'retry'],
    ['unauthorized', new HttpException('who', 401), 'retry'],
    ['internal', new HttpException('oops', 500), 'retry'],
    ['RpcException ABORTED', new RpcException({ code: 10, message: 'no' }), 'refused'],
    ['RpcException with a text', new RpcException('text'), 'retry'],
    ['INVALID_ARGUMENT', grpc(3), 'invalid'],
    ['NOT_FOUND', grpc(5), 'refused'],
    ['ALREADY_EXISTS', grpc(6), 'refused'],
    ['PERMISSION_DENIED', grpc(7), 'refused'],
    ['FAILED_PRECONDITION', grpc(9), 'ongoing'],
    ['UNAVAILABLE', grpc(14), 'retry'],
    ['any Error', new Error('FAILURE'), 'retry'],
    ['something that is no error', 'FAILURE', 'retry'],
    ['nothing', undefined, 'retry'],
    ['lock wait 1205', mysql(1205), 'retry'],
    ['deadlock 1213', mysql(1213), 'retry'],
    ['snapshot changed 1020', mysql(1020), 'retry'],
    ['too many connections 1040', mysql(1040), 'retry'],
    ['read only 1290', mysql(1290), 'retry'],
    [
      'connection lost',
      Object.assign(new Error('Connection lost'), { fatal: true, code: 'PROTOCOL_CONNECTION_LOST' }),
      'retry',
    ],
    ['connection refused', mysql(-111), 'retry'],
    ['a deadlock inside a refusal', new Refusal('could not', { cause: mysql(1213) }), 'retry'],
    [
      'a deadlock inside TypeORM’s error inside a conflict',
      new ConflictException('c', { cause: { driverError: mysql(1213) } }),
      'retry',
    ],
    ['a duplicate key', mysql(1062), 'retry'],
  ])('%s: %s', (_, error, meaning) => {
    expect(classify(error)).toBe(meaning);
  });

  test('an application’s own table comes before the default one, and after the database’s troubles', () => {
    const own = (error: unknown): Meaning | undefined =>
      error instanceof RangeError ? 'refused' : error instanceof Refusal ? 'ongoing' : undefined;
    expect(classify(new RangeError(), own)).toBe('refused');
    expect(classify(new Refusal('x'), own)).toBe('ongoing');
    expect(classify(new ConflictException(), own)).toBe('refused');
    expect(classify(Object.assign(new RangeError(), { errno: 1213 }), own)).toBe('retry');
    expect(classify(new RangeError('x', { cause: nodes }), own)).toBe('refused');
  });

  test('a refusal that a system error has caused is one; whatever else it has caused passes', () => {
    expect(classify(new Refusal('the bank is not to be reached', { cause: nodes }))).toBe('refused');
    expect(classify(new ConflictException('x', { cause: nodes }))).toBe('retry');
    expect(classify(new Refusal('x', { cause: Object.assign(new Error(), { errno: 1213 }) }))).toBe('retry');
    expect(classify(new Refusal('LOADING bay closed'))).toBe('refused');
  });

  test.each(['READONLY You can’t write', 'LOADING Redis is loading', 'OOM command not allowed'])(
    'Redis that takes no write passes: %s',
    (message) => {
      expect(isTransient(Object.assign(new Error(message), { name: 'ReplyError' }))).toBe(true);
    },
  );

  test('a cause that is its own cause ends the search', () => {
    const error = new Error('loop') as Error & { cause: unknown };
    error.cause = error;
    expect(isTransient(error)).toBe(false);
  });
});

describe('what DTM is told', () => {
  test('an invalid compensation is given up only where that is allowed', () => {
    const invalid = new BadRequestException('bad');
    const may = (op: BranchOp, mayDrop: boolean) => verdictOf(invalid, 'saga', op, undefined, mayDrop);
    expect(may('compensate', false)).toMatchObject({ outcome: 'retry', unheard: true });
    expect(may('compensate', true).outcome).toBe('dropped');
    expect(may('action', true).outcome).toBe('refused');
  });

  const [refusal, invalid] = [new Refusal('no'), new BadRequestException('bad')];
  test.each([
    ['saga', 'action', refusal, 'refused'],
    ['saga', 'action', invalid, 'refused'],
    ['saga', 'compensate', refusal, 'retry'],
    ['saga', 'compensate', invalid, 'retry'],
    ['msg', 'action', refusal, 'retry'],
    ['msg', 'action', invalid, 'retry'],
    ['tcc', 'try', refusal, 'refused'],
    ['tcc', 'confirm', refusal, 'retry'],
    ['tcc', 'confirm', invalid, 'retry'],
    ['tcc', 'cancel', invalid, 'retry'],
    ['workflow', 'action', refusal, 'refused'],
    ['workflow', 'rollback', refusal, 'retry'],
    ['workflow', 'commit', refusal, 'retry'],
  ] as const)('of the %s’s %s that fails with %s: %s', (transType, op, error, outcome) => {
    expect(verdictOf(error, transType, op).outcome).toBe(outcome);
  });
});
