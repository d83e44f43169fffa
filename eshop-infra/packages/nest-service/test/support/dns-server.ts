import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const HEADER = 12;
const A = 1;

/** A DNS server that knows one set of IPv4 addresses, whatever the name. */
export interface DnsServer {
  readonly port: number;
  addresses: string[];
  /** Questions for addresses so far. */
  asked(): number;
  close(): void;
}

/** Starts it on a free port of 127.0.0.1. */
export async function dnsServer(addresses: string[]): Promise<DnsServer> {
  const socket = createSocket('udp4');
  let asked = 0;
  let open = true;
  const close = () => {
    if (open) socket.close();
    open = false;
  };
  const server = { port: 0, addresses, asked: () => asked, close };
  socket.on('message', (query, { port, address }) => {
    const name = query.indexOf(0, HEADER) + 1;
    const question = query.subarray(HEADER, name + 4);
    const isA = query.readUInt16BE(name) === A;
    if (isA) asked++;
    const records = isA ? server.addresses.map(record) : [];
    const header = Buffer.alloc(HEADER);
    query.copy(header, 0, 0, 2);
    // an answer, with recursion as wanted and available, no error (RFC 1035, 4.1.1)
    header.writeUInt16BE(0x8180, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    socket.send(Buffer.concat([header, question, ...records]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  server.port = socket.address().port;
  return server;
}

/** The name of the question, type A, class IN, to be kept for 0 s, four bytes. */
function record(address: string): Buffer {
  return Buffer.from([0xc0, HEADER, 0, A, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]);
}
