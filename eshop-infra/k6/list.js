/** The first rows of each list of the gateway: k6 run --vus 100 --duration 10s list.js. */
import { group } from 'k6';
import { get } from './shop.js';

export default function list() {
  for (const name of ['coupon', 'order', 'product', 'stock', 'user']) {
    group(`list ${name}`, () => get(`/api/v1/${name}/list?limit=5`));
  }
}
