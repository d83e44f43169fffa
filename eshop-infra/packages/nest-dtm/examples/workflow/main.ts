import { newGid } from '@eshop/nest-dtm';
import { freePort } from '../free-port.js';
import { startBank } from '../saga/bank.js';
import { startSeats } from './seats.js';

const bankPort = await freePort();
const bank = await startBank(bankPort);
const seats = await startSeats(await freePort(), `http://127.0.0.1:${bankPort}`);

async function show(id: string, buyer: string): Promise<void> {
  console.log(`${buyer}: ${await seats.buy(id, { buyer, cents: 300 })}`);
  console.log(`  seats left: ${await seats.left()}, ${buyer} has ${await bank.cents(buyer)}`);
}

const first = newGid();
await show(first, 'ann');
await show(first, 'ann');
await show(newGid(), 'bob');
await show(newGid(), 'ann');
await show(newGid(), 'ann');

await seats.close();
await bank.close();
