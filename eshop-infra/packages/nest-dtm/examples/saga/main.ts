import { freePort } from '../free-port.js';
import { startBank } from './bank.js';
import { startTransfers } from './transfers.js';

const bankPort = await freePort();
const bank = await startBank(bankPort);
const transfers = await startTransfers(await freePort(), `http://127.0.0.1:${bankPort}`);

async function show(what: string, from: string, to: string, cents: number): Promise<void> {
  const { status, reason } = await transfers.transfer({ from, to, cents });
  console.log(`${what}: ${status}${reason ? ` (${reason})` : ''}`);
  console.log(`  ann has ${await bank.cents('ann')}, bob has ${await bank.cents('bob')}`);
}

await show('ann gives bob 300', 'ann', 'bob', 300);
await show('bob gives ann 500', 'bob', 'ann', 500);
await show('ann gives eve 100', 'ann', 'eve', 100);

await transfers.close();
await bank.close();
