import { expectOk } from '../support/http.ts';
import { finalState, lookUp } from '../support/shop.ts';
import { eventually } from '../support/wait.ts';
import { type Contract, exampleOf, type Fields, loadShop, type MessageTable, type Method } from './contracts.ts';
import { GrpcCaller, type Outcome, overHttp } from './send.ts';

const { contracts, codes } = await loadShop();

/** What an example says when it was carried out before: it makes something of which there is one, or removes it. */
const DONE_BEFORE: Record<string, string[]> = {
  'user.Create': ['ALREADY_EXISTS'],
  'eshop.CreateUser': ['ALREADY_EXISTS'],
  'stock.Create': ['ALREADY_EXISTS'],
  'eshop.CreateStock': ['ALREADY_EXISTS'],
  'stock.DeleteFlashSale': ['NOT_FOUND'],
  'user.DeleteByID': ['USER_NOT_FOUND'],
  'product.DeleteByID': ['PRODUCT_NOT_FOUND'],
  'stock.DeleteByID': ['STOCK_NOT_FOUND'],
  'coupon.DeleteByID': ['COUPON_NOT_FOUND'],
  'order.DeleteByID': ['ORDER_NOT_FOUND'],
};

/** Examples of what cannot be there beforehand. */
const NOT_THERE: Record<string, string[]> = {
  // Only a fault leaves a cancelled payment, and no other may be removed.
  'pay.DeleteByID': ['PAY_NOT_FOUND', 'IN_USE'],
  // The ids of flash orders are the service's own.
  'flashSale.GetByOrderID': ['ORDER_NOT_FOUND'],
  // Nothing is lost.
  'flashSale.RebuildSale': ['CONFLICT'],
};

const title = ({ fullName }: Contract, { rpc }: Method) => `${fullName.split('.').at(-1)}.${rpc}`;

const examples = contracts
  .filter(({ fullName }) => fullName !== 'api.eshop_gw.v1.management')
  .flatMap((contract) =>
    contract.methods
      .filter(({ branch }) => !branch)
      .map((method) => [title(contract, method), contract, method] as const),
  )
  // What removes something comes last.
  .toSorted(([, , a], [, , b]) => Number(a.verb === 'delete') - Number(b.verb === 'delete'));

/** The example as a page of Swagger fills it in: a list has one item. */
function filledIn(table: MessageTable): Fields {
  const message = exampleOf(table);
  for (const { name, kind, repeated, message: inner } of table.fields) {
    if (kind === 'message' && inner) message[name] = repeated ? [filledIn(inner())] : filledIn(inner());
  }
  return message;
}

let grpc: GrpcCaller;
beforeAll(async () => {
  grpc = await GrpcCaller.create();
  const { orderID } = await expectOk(
    eventually(async () => {
      const answer = await lookUp('20260102030405678901234567');
      return answer.status === 200 ? answer : undefined;
    }, 'the order of the examples: the system is not seeded'),
  );
  expect(await finalState(orderID)).toMatchObject({ state: 'placed' });
});
afterAll(() => grpc.close());

function expectCarriedOut(name: string, outcome: Outcome): void {
  const wanted = NOT_THERE[name] ?? ['OK', ...(DONE_BEFORE[name] ?? [])];
  expect({ ...outcome, wanted: wanted.includes(outcome.code) }).toMatchObject({ wanted: true });
}

it.each(examples)('the example of %s is carried out on a seeded system', async (name, contract, method) => {
  const request = filledIn(method.request);
  expectCarriedOut(name, await overHttp(codes, contract, method, request));
  if (contract.grpcPort === null) return;
  const repeated = await grpc.send(contract, method, request);
  // Sent a second time, what is removed is gone and what is unique is there.
  if (DONE_BEFORE[name]) expect(DONE_BEFORE[name]).toContain(repeated.code);
  else expectCarriedOut(name, repeated);
});
