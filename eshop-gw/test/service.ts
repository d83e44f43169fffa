import { createServer, type Server } from 'node:net';
import { startTestService, type TestService } from '@eshop/nest-service/testing';
import type { MethodContract } from '@eshop/proto';
import { eshopContract } from '@eshop/proto/gateway';
import { AppModule } from '../src/app.module.js';
import { configSchema } from '../src/config.js';
import { modules } from '../src/management/modules.js';

export const BACKENDS = ['user', 'product', 'order', 'stock', 'coupon', 'pay', 'flashSale'] as const;
export type Backend = (typeof BACKENDS)[number];

export interface GatewayOptions {
  /** Where the services are; one that is not named is down: its port is closed. */
  addresses?: Partial<Record<Backend, string>>;
  deadlineMs?: number;
  /** With the routes of those who run the shop. */
  management?: boolean;
  soldOutMs?: number;
}

/** The gateway on a free port. */
export async function startGateway({
  addresses = {},
  deadlineMs = 5000,
  management = false,
  soldOutMs = 200,
}: GatewayOptions = {}): Promise<Started> {
  const closed = await freeAddress();
  const grpcClients = Object.fromEntries(
    BACKENDS.map((name) => [name, { address: addresses[name] ?? closed, deadlineMs, retries: 2 }]),
  );
  const service = await startTestService(AppModule, {
    contract: eshopContract,
    config: configSchema,
    modules,
    overrides: { grpcClients, gateway: { management, soldOutMs } },
  });
  return {
    service,
    call: async (method, path, body, headers = {}) => {
      const started = performance.now();
      const response = await fetch(`${service.http}${path}`, {
        method,
        headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
        body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
      });
      const envelope = (await response.json()) as Envelope;
      return { status: response.status, headers: response.headers, ms: performance.now() - started, ...envelope };
    },
  };
}

export interface Envelope {
  code: number;
  msg: string;
  data: Record<string, unknown>;
  requestID?: string;
  violations?: { field: string; rule: string; description: string }[];
}

export interface Answer extends Envelope {
  status: number;
  headers: Headers;
  /** How long it took. */
  ms: number;
}

export interface Started {
  service: TestService<typeof configSchema>;
  /** A call of the gateway; a body that is a string is sent as it is. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

export interface ExampleCall {
  method: string;
  path: string;
  body: Record<string, unknown> | undefined;
}

/** The call that the contract gives as an example of a method. */
export function exampleOf({ verb, route, http, request }: MethodContract): ExampleCall {
  const fields = request.fields.filter(({ example }) => example !== undefined);
  const examples = Object.fromEntries(fields.map(({ name, example }) => [name, example]));
  const path = route.replace(/\{(\w+)\}/g, (_, name: string) => String(examples[name]));
  if (http.body) return { method: verb.toUpperCase(), path, body: examples };
  const query = Object.entries(examples)
    .filter(([name]) => !route.includes(`{${name}}`))
    .map(([name, value]): [string, string] => [name, String(value)]);
  const search = new URLSearchParams(query);
  return { method: verb.toUpperCase(), path: query.length > 0 ? `${path}?${search}` : path, body: undefined };
}

/** An address that nobody listens on. */
export async function freeAddress(): Promise<string> {
  const { address, close } = await listen();
  await close();
  return address;
}

/** A server that takes connections and never says a word; `connections` counts them. */
export async function listen(): Promise<{ address: string; connections: () => number; close: () => Promise<void> }> {
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections++;
    socket.on('error', () => socket.destroy());
    server.once('shutdown', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    address: `127.0.0.1:${address.port}`,
    connections: () => connections,
    close: () =>
      new Promise<void>((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.emit('shutdown');
      }),
  };
}
