/** Buyers of a flash sale: k6 run --vus 10000 --duration 1s flashSale.js. The sale must be open: PUT units into it first. */
import { group } from 'k6';
import { post, productID, userID } from './shop.js';

export default function flashSale() {
  group('test flash sale', () => post('/api/v1/flashSale', { userID, productID, amount: 88 }));
}
