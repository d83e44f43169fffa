import type { MethodDefinition } from '@grpc/grpc-js';
import {
  type DtmService,
  DtmWorkflow,
  httpBranch,
  type LocalMessageResult,
  type LocalStep,
  type TccResult,
  type Workflow,
  type WorkflowHandler,
  type WorkflowResult,
} from '../../src/index.js';

interface Withdraw {
  account: string;
  amount: number;
}
interface Part {
  account: string;
}
interface Other {
  account: string;
  amount: string;
}

declare const dtm: DtmService;
declare const action: MethodDefinition<Withdraw, object>;
declare const compensation: MethodDefinition<Withdraw, { anything: true }>;
declare const twin: MethodDefinition<{ account: string; amount: number }, object>;
declare const part: MethodDefinition<Part, object>;
declare const other: MethodDefinition<Other, object>;
const payload: Withdraw = { account: 'a', amount: 1 };

dtm
  .saga('g')
  .step(action, compensation, payload)
  .step(action, null, payload)
  .step(action, twin, { account: 'a', amount: 1 });
dtm.saga('g').step(httpBranch<Withdraw>('http://x/y'), httpBranch<Withdraw>('http://x/z'), payload);

// @ts-expect-error the payload lacks a field
dtm.saga('g').step(action, compensation, { account: 'a' });
// @ts-expect-error a field of another type
dtm.saga('g').step(action, compensation, { account: 'a', amount: '1' });
// @ts-expect-error a field the message does not have
dtm.saga('g').step(action, compensation, { account: 'a', amount: 1, extra: 1 });
// @ts-expect-error the compensation takes another message
dtm.saga('g').step(action, other, payload);
// @ts-expect-error the compensation takes a part of the message, whose field numbers may differ
dtm.saga('g').step(action, part, payload);
// @ts-expect-error the other way round
dtm.saga('g').step(part, action, { account: 'a' });
// @ts-expect-error over HTTP too
dtm.saga('g').step(httpBranch<Withdraw>('http://x/y'), httpBranch<Other>('http://x/z'), payload);
dtm.saga('g').step(null, compensation, payload);
// @ts-expect-error a step without an action has the compensation's message
dtm.saga('g').step(null, other, payload);
// @ts-expect-error a step has one of both
dtm.saga('g').step(null, null, payload);
// @ts-expect-error not a method
dtm.saga('g').step('bank/withdraw', null, payload);

declare const local: LocalStep<number>;
const sent: Promise<LocalMessageResult<number>> = dtm
  .message('g')
  .step(action, payload)
  .topic('t', action, payload)
  .prepareAndSubmit(local, { backCheck: other });
void sent;

// @ts-expect-error the payload lacks a field
dtm.message('g').step(action, { account: 'a' });
// @ts-expect-error a field the message does not have
dtm.message('g').step(action, { account: 'a', amount: 1, extra: 1 });
// @ts-expect-error the payload is another message
dtm.message('g').topic('t', other, payload);
// @ts-expect-error there is always a back-check
dtm.message('g').step(action, payload).prepareAndSubmit(local, {});
// @ts-expect-error an option messages do not have
dtm.message('g', { orders: {} });

const tried: Promise<TccResult<string>> = dtm.tcc('g', async (tcc) => {
  await tcc.branch(action, compensation, twin, payload);
  return 'tried';
});
void tried;
// @ts-expect-error the confirmation takes another message
void dtm.tcc('g', (tcc) => tcc.branch(action, other, compensation, payload));
// @ts-expect-error the cancellation takes a part of the message
void dtm.tcc('g', (tcc) => tcc.branch(action, compensation, part, payload));
// @ts-expect-error the payload lacks a field
void dtm.tcc('g', (tcc) => tcc.branch(action, compensation, twin, { account: 'a' }));

class Booking implements WorkflowHandler<Withdraw, { token: string }> {
  async run(workflow: Workflow, { account }: Withdraw): Promise<{ token: string }> {
    const taken: number = await workflow.local(
      'take',
      async () => 3,
      async (took) => void took.toFixed(),
    );
    const token: string = await workflow.record('token', async () => account);
    await workflow.branch(action, compensation, { account, amount: taken });
    await workflow.branch(action, null, { account, amount: taken });
    await workflow.tcc(action, twin, compensation, { account, amount: taken });
    const back = async (took: string): Promise<void> => void took;
    // @ts-expect-error what is taken back is what was returned
    await workflow.local<number>('take', async () => 3, back);
    // @ts-expect-error says whether there is something to take back
    await workflow.local('take', async () => 3);
    // @ts-expect-error the payload lacks a field
    await workflow.branch(action, compensation, { account });
    // @ts-expect-error the compensation takes another message
    await workflow.branch(action, other, payload);
    // @ts-expect-error the confirmation takes a part of the message
    await workflow.tcc(action, part, compensation, payload);
    // @ts-expect-error a branch gives nothing back that lasts
    const reply: object = await workflow.branch(action, null, payload);
    void reply;
    return { token };
  }
}

const booked: Promise<WorkflowResult<{ token: string }>> = dtm.workflow('g', Booking, payload);
void booked;
// @ts-expect-error the input lacks a field
void dtm.workflow('g', Booking, { account: 'a' });
// @ts-expect-error a field the input does not have
void dtm.workflow('g', Booking, { account: 'a', amount: 1, extra: 1 });
// @ts-expect-error DTM has no timeout for workflows
void dtm.workflow('g', Booking, payload, { timeoutToFail: 3 });
// @ts-expect-error not a workflow
void dtm.workflow('g', Date, payload);
// @ts-expect-error not a workflow
DtmWorkflow('name')(Date);
