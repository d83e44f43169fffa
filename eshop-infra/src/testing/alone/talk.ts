// Talks to a service that runs alone; a process of its own, since it loads the gRPC client out of the service's packages.
//
//   node talk.ts SERVICE DIRECTORY HTTP-PORT [GRPC-PORT]
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { contractName, type ServiceName } from '../../parts/service-names.ts';
import { conversations, type Talk } from './conversations.ts';

const DEADLINE_MS = 10_000;

interface Failure {
  code: number;
}
type Method = (
  request: object,
  options: { deadline: number },
  done: (error: Failure | null, reply?: Record<string, unknown>) => void,
) => void;
interface GrpcClient {
  [rpc: string]: Method;
}
/** The parts of @grpc/grpc-js that are used. */
interface Grpc {
  makeClientConstructor(
    definition: object,
    name: string,
  ): new (
    address: string,
    credentials: unknown,
  ) => GrpcClient & { close(): void };
  credentials: { createInsecure(): unknown };
}

const [name, directory = '', httpPort, grpcPort] = process.argv.slice(2);
const packages = createRequire(join(directory, 'package.json'));
const load = async (id: string): Promise<unknown> => import(pathToFileURL(packages.resolve(id)).href);

async function callGrpc(service: ServiceName, rpc: string, request: object): ReturnType<Talk['grpc']> {
  const { makeClientConstructor, credentials } = (await load('@grpc/grpc-js')) as Grpc;
  const contracts = (await load(`@eshop/proto/${service}`)) as Record<string, { definition: object; fullName: string }>;
  const contract = contracts[`${contractName(service)}ClientContract`];
  assert.ok(contract, `@eshop/proto/${service} has no client`);
  const Client = makeClientConstructor(contract.definition, contract.fullName);
  const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
  try {
    return await new Promise((resolve) => {
      client[rpc]?.(request, { deadline: Date.now() + DEADLINE_MS }, (error, reply = {}) =>
        resolve({ code: error?.code ?? 0, reply }),
      );
    });
  } finally {
    client.close();
  }
}

const service = name as ServiceName;
await conversations[service]({
  async http(method, path, body) {
    const response = await fetch(`http://127.0.0.1:${httpPort}${path}`, {
      method,
      headers: body ? { 'content-type': 'application/json' } : {},
      body: body ? JSON.stringify(body) : undefined,
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const answer = (await response.json()) as { data?: Record<string, unknown> };
    return { status: response.status, data: answer.data ?? {} };
  },
  grpc: (rpc, request) => callGrpc(service, rpc, request),
});
