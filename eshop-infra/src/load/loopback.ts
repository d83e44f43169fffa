import { isIP } from 'node:net';

/** Load was asked for against something that is not this machine. */
export class NotLoopback extends Error {
  constructor(host: string) {
    super(`load goes to this machine only (127.0.0.0/8, ::1 or localhost), not to ${host}`);
    this.name = 'NotLoopback';
  }
}

/**
 * The origin of a URL of this machine. `localhost` is taken as 127.0.0.1 and no other name is looked up, so that no
 * name server can send the load elsewhere.
 * @throws NotLoopback for any other host; TypeError when it is not an http URL
 */
export function loopbackOrigin(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'http:') throw new TypeError(`load needs an http:// URL, not ${url}`);
  const host = hostname === 'localhost' ? '127.0.0.1' : hostname;
  // The URL parser has already turned 127.1 and 0x7f000001 into dotted form.
  const loopback = host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));
  if (!loopback) throw new NotLoopback(hostname);
  return `http://${host}${port ? `:${port}` : ''}`;
}
