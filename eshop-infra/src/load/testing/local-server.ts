import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Request {
  method: string;
  path: string;
  body: Record<string, unknown>;
}

export interface LocalServer {
  url: string;
  requests: Request[];
  connections: () => number;
  close(): Promise<void>;
}

/** A small server in the gateway's place: answers `{status, body}` as `answer` says. */
export async function localServer(
  answer: (request: Request) => Promise<{ status?: number; body: unknown }> | { status?: number; body: unknown },
): Promise<LocalServer> {
  const requests: Request[] = [];
  let connections = 0;
  const server: Server = createServer((incoming, response) => {
    void (async () => {
      const request = await read(incoming);
      requests.push(request);
      const { status = 200, body } = await answer(request);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    })();
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function read(incoming: IncomingMessage): Promise<Request> {
  let text = '';
  for await (const chunk of incoming) text += String(chunk);
  return {
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}
