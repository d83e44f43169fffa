import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an outer server does that shows a service under a path of its own: it takes the prefix off and passes the rest on. */
export interface StrippingProxy {
  /** Where the service is seen, with the prefix. */
  readonly url: string;
  /** Paths that were asked for outside of the prefix. */
  readonly outside: string[];
  close(): Promise<void>;
}

/** @param headers added to each request, as proxies do that tell their prefix */
export async function strippingProxy(
  target: string,
  prefix: string,
  headers: Record<string, string> = {},
): Promise<StrippingProxy> {
  const outside: string[] = [];
  const server = createServer((incoming, answer) => {
    const { url = '', method } = incoming;
    if (!url.startsWith(`${prefix}/`)) {
      outside.push(url);
      answer.writeHead(404).end();
      return;
    }
    const options = { method, headers: { ...incoming.headers, ...headers } };
    const passed = request(target + url.slice(prefix.length), options, (reply: IncomingMessage) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    incoming.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    outside,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
