import { randomUUID } from 'node:crypto';
import { freePort } from '../free-port.js';
import { startTickets } from './tickets.js';

const show = `show-${randomUUID().slice(0, 8)}`;
const tickets = await startTickets(await freePort());
await tickets.open(show, 2);

async function buy(id: string, buyer: string): Promise<void> {
  const response = await fetch(`${tickets.url}/buy/${id}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ show, buyer }),
  });
  const { sold, repeat, message } = (await response.json()) as { sold?: true; repeat?: boolean; message?: string };
  console.log(`${buyer}: ${sold ? `sold${repeat ? ', as said before' : ''}` : message}`);
}

await buy('order-1', 'ann');
await buy('order-1', 'ann');
await buy('order-2', 'bob');
await buy('order-3', 'eve');

const guests = async (): Promise<string[]> =>
  (await fetch(`${tickets.url}/guests/${show}`)).json() as Promise<string[]>;
while ((await guests()).length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
console.log(`guests: ${(await guests()).sort().join(', ')}`);

await tickets.close();
