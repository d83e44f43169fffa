import type { MethodDefinition } from '@grpc/grpc-js';
import {
  compensable,
  DtmAction,
  DtmCancel,
  DtmCompensation,
  DtmConfirm,
  DtmModule,
  type DtmService,
  DtmTry,
  DtmWorkflow,
  httpBranch,
  type LocalMessageResult,
  type LocalStep,
  type TccResult,
  tccBranch,
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

declare const replying: MethodDefinition<Withdraw, { id: string }>;
const pair = compensable(replying, compensation);
const three = tccBranch(replying, twin, compensation);

dtm.saga('g').step(pair, payload).step(pair.action, pair.compensation, payload).step(null, pair.compensation, payload);
dtm
  .saga('g')
  .step(pair.action, null, payload)
  .step(pair.action, twin, payload)
  .step(action, pair.compensation, payload);
compensable(httpBranch<Withdraw>('http://x/y'), httpBranch<Withdraw>('http://x/z'));
// @ts-expect-error the compensation takes another message
compensable(action, other);
// @ts-expect-error the compensation takes a part of the message
compensable(action, part);
// @ts-expect-error the halves of another pair, swapped
compensable(pair.compensation, pair.action);
// @ts-expect-error the confirmation takes another message
tccBranch(action, other, compensation);
// @ts-expect-error confirm and cancel of another, swapped
tccBranch(three.try, three.cancel, three.confirm);
// @ts-expect-error the halves are swapped
dtm.saga('g').step(pair.compensation, pair.action, payload);
// @ts-expect-error the compensation as an action
dtm.saga('g').step(pair.compensation, null, payload);
// @ts-expect-error the action as a compensation
dtm.saga('g').step(null, pair.action, payload);
// @ts-expect-error the action as its own compensation
dtm.saga('g').step(pair.action, pair.action, payload);
// @ts-expect-error the action as another's compensation
dtm.saga('g').step(action, pair.action, payload);
// @ts-expect-error a pair has its compensation
dtm.saga('g').step(pair, compensation, payload);
// @ts-expect-error the payload lacks a field
dtm.saga('g').step(pair, { account: 'a' });
// @ts-expect-error a field the message does not have
dtm.saga('g').step(pair, { account: 'a', amount: 1, extra: 1 });
// @ts-expect-error methods of a TCC
dtm.saga('g').step(three, payload);
dtm.message('g').step(pair.action, payload);
// @ts-expect-error a message's step is an action
dtm.message('g').step(pair.compensation, payload);

class Branches {
  @DtmAction(pair)
  withdraw(): void {}
  @DtmCompensation(pair)
  withdrawRevert(): void {}
  @DtmTry(three)
  hold(): void {}
  @DtmConfirm(three)
  book(): void {}
  @DtmCancel(three)
  release(): void {}
  // @ts-expect-error a pair has no try
  @DtmTry(pair)
  wrong(): void {}
  // @ts-expect-error a TCC has no action
  @DtmAction(three)
  wrongToo(): void {}
}
void Branches;

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
// @ts-expect-error a compensation answers something else
dtm.message('g').step(action, payload).prepareAndSubmit(local, { backCheck: pair.compensation });
// @ts-expect-error an option messages do not have
dtm.message('g', { orders: {} });

const tried: Promise<TccResult<string>> = dtm.tcc('g', async (tcc) => {
  await tcc.branch(action, compensation, twin, payload);
  return 'tried';
});
void tried;
void dtm.tcc('g', (tcc) => tcc.branch(three, payload));
// @ts-expect-error the payload lacks a field
void dtm.tcc('g', (tcc) => tcc.branch(three, { account: 'a' }));
// @ts-expect-error confirm and cancel are swapped
void dtm.tcc('g', (tcc) => tcc.branch(three.try, three.cancel, three.confirm, payload));
// @ts-expect-error a pair is no branch of a TCC
void dtm.tcc('g', (tcc) => tcc.branch(pair, payload));
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
    const reply: { id: string } | undefined = await workflow.branch(pair, { account, amount: taken });
    const held: { id: string } | undefined = await workflow.branch(replying, null, payload);
    const tried: { id: string } | undefined = await workflow.tcc(three, payload);
    const over: { id: string } | undefined = await workflow.branch(
      httpBranch<Withdraw, { id: string }>('http://x/y'),
      null,
      payload,
    );
    void [held, tried, over];
    // @ts-expect-error the reply may have been lost
    const sure: { id: string } = await workflow.branch(pair, payload);
    // @ts-expect-error another reply
    const wrong: { id: number } | undefined = await workflow.branch(pair, payload);
    void [sure, wrong];
    // @ts-expect-error the payload lacks a field
    await workflow.branch(pair, { account });
    // @ts-expect-error the halves are swapped
    await workflow.branch(pair.compensation, pair.action, payload);
    // @ts-expect-error what a TCC cancels with takes back no action
    await workflow.branch(pair.action, three.cancel, payload);
    // @ts-expect-error confirm and cancel are swapped
    await workflow.tcc(three.try, three.cancel, three.confirm, payload);
    return { token: reply?.id ?? token };
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

// What comes from the environment needs no cast: it is refused at start, by its name.
DtmModule.forRoot({
  servers: { default: { grpc: process.env.DTM_GRPC, http: process.env.DTM_HTTP } },
  branches: { 'bank.Bank': process.env.BANK },
  signature: { keys: [{ id: 'k1', secret: process.env.DTM_SECRET }] },
});
// @ts-expect-error a key has a secret
DtmModule.forRoot({ servers: {}, signature: { keys: [{ id: 'k1' }] } });
// @ts-expect-error a secret is a text
DtmModule.forRoot({ servers: {}, signature: { keys: [{ id: 'k1', secret: 1 }] } });
