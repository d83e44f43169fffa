// A saga over gRPC, and a workflow that DTM could resume, without a store of its own: it succeeds, and it is refused.
import 'reflect-metadata';
import { deepEqual, match } from 'node:assert/strict';
import {
  compensable,
  DtmAction,
  DtmBranches,
  DtmCompensation,
  DtmModule,
  DtmService,
  DtmWorkflow,
  DtmWorkflowCallback,
  newGid,
  Refusal,
  type Workflow,
} from '@eshop/nest-dtm';
import { workflowService } from '@eshop/nest-dtm/grpc';
import { transactionEnd } from '@eshop/nest-dtm/testing';
import type { MethodDefinition } from '@grpc/grpc-js';
import { Controller, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod, type MicroserviceOptions, Transport } from '@nestjs/microservices';
import { environment } from './environment.js';

interface Order {
  units: number;
}

const method = (name: string): MethodDefinition<Order, object> => ({
  path: `/stock.Stock/${name}`,
  requestStream: false,
  responseStream: false,
  requestSerialize: (order) => Buffer.from(JSON.stringify(order)),
  requestDeserialize: (bytes) => JSON.parse(bytes.toString()) as Order,
  responseSerialize: (reply) => Buffer.from(JSON.stringify(reply)),
  responseDeserialize: (bytes) => JSON.parse(bytes.toString()) as object,
});
const Stock = { take: method('Take'), giveBack: method('GiveBack') };
const Deduction = compensable(Stock.take, Stock.giveBack);

@Injectable()
class Shelf {
  units = 3;
  readonly taken = new Map<string, number>();
}

@Controller()
@DtmBranches({ barrier: false })
class StockController {
  constructor(private readonly shelf: Shelf) {}

  @DtmAction(Deduction)
  take({ units }: Order): object {
    if (this.shelf.units < units) throw new Refusal(`only ${this.shelf.units} left`);
    this.shelf.units -= units;
    return { left: this.shelf.units };
  }

  @DtmCompensation(Deduction)
  giveBack({ units }: Order): object {
    // Of the step that was refused nothing was taken.
    if (units <= 3) this.shelf.units += units;
    return {};
  }
}

@DtmWorkflow('take')
class TakeWorkflow {
  async run(workflow: Workflow, { units }: Order): Promise<unknown> {
    return workflow.branch(Deduction, { units });
  }
}

@Controller()
class WorkflowController {
  @DtmWorkflowCallback()
  @GrpcMethod('workflow.Workflow', 'execute')
  resume(): void {}
}

const url = `127.0.0.1:${environment.port}`;

@Module({
  imports: [
    DtmModule.forRoot({
      servers: { default: { http: environment.dtmHttp, grpc: environment.dtmGrpc } },
      branches: { 'stock.Stock': url, 'workflow.Workflow': url },
      signature: { keys: [{ id: 'k1', secret: 'the secret of the matrix' }] },
      branchSyncCheck: false,
    }),
  ],
  controllers: [StockController, WorkflowController],
  providers: [Shelf, TakeWorkflow],
})
class ShopModule {}

async function main(): Promise<void> {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(ShopModule, {
    logger: ['error', 'warn'],
    transport: Transport.GRPC,
    options: {
      url,
      package: ['stock', 'workflow'],
      packageDefinition: { 'stock.Stock': Stock, 'workflow.Workflow': workflowService },
      gracefulShutdown: true,
    },
  });
  await app.listen();
  const dtm = app.get(DtmService);
  const take = async (...steps: number[]) => {
    const gid = newGid();
    const saga = dtm.saga(gid);
    for (const units of steps) saga.step(Deduction, { units });
    await saga.submit({ fresh: true });
    return transactionEnd(dtm, gid);
  };
  try {
    deepEqual((await take(1)).status, 'succeed');
    deepEqual(app.get(Shelf).units, 2);
    const { status, rollbackReason } = await take(1, 9);
    deepEqual(status, 'failed');
    match(rollbackReason, /only 1 left/);
    deepEqual(app.get(Shelf).units, 2);
    const { value } = await dtm.workflow(newGid(), TakeWorkflow, { units: 1 });
    deepEqual(value, { left: 1 });
  } finally {
    await app.close();
  }
}

void main();
