import { port } from '../support/system.ts';
import { Browser } from './browser.ts';
import { loadShop } from './contracts.ts';

const { contracts } = await loadShop();

/** The operation whose example is sent from each service's page. */
const TRIED: Record<string, string> = {
  user: 'List',
  product: 'Create',
  order: 'List',
  stock: 'List',
  coupon: 'Create',
  pay: 'List',
  flashSale: 'GetSale',
  eshop_gw: 'CreateProduct',
};

const pages = contracts
  .filter(({ fullName }) => fullName !== 'api.eshop_gw.v1.management')
  .map(({ name, methods }) => {
    const method = methods.find(({ rpc }) => rpc === TRIED[name]);
    if (!method) throw new Error(`no example of ${name} is chosen`);
    const part = name === 'eshop_gw' ? 'gw' : name.toLowerCase();
    return { name, part, operation: `${method.tag}-${method.operationId}`.replaceAll(' ', '_') };
  });

/** In the page: opens an operation, presses "Try it out" and "Execute", and waits for the status and the body that came. */
const tryOut = (operation: string) => `(async () => {
  const wait = async (find, what) => {
    for (let i = 0; i < 600; i++) {
      const found = find();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('waited in vain for ' + what);
  };
  const block = await wait(() => document.getElementById('operations-${operation}'), 'the operation');
  block.querySelector('.opblock-summary-control').click();
  (await wait(() => block.querySelector('.try-out__btn'), 'Try it out')).click();
  (await wait(() => block.querySelector('.execute'), 'Execute')).click();
  const status = await wait(() => block.querySelector('.live-responses-table tbody .response-col_status'), 'the answer');
  const body = await wait(() => block.querySelector('.live-responses-table .highlight-code'), 'its body');
  return { status: parseInt(status.textContent, 10), body: body.textContent };
})()`;

describe('the Swagger page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await Browser.start();
  });
  afterAll(() => browser.close());

  it.each(pages.map((page) => [page.name, page] as const))('of %s sends an example that succeeds', async (_, page) => {
    const run = await browser.open(`http://127.0.0.1:${port(`${page.part}.http`)}/apis/swagger/index.html`);
    const { status, body } = (await run(tryOut(page.operation))) as { status: number; body: string };
    expect([status, body]).toEqual([200, expect.stringMatching(/"code":\s*0/)]);
  });
});
