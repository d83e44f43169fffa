/** What the scripts share: where the gateway is, and what counts as a success. */
import { check } from 'k6';
import http from 'k6/http';

/** BASE_URL says where the gateway is; the ids are those that `eshop up` seeds. */
export const baseUrl = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const userID = Number(__ENV.USER_ID || 1);
export const productID = Number(__ENV.PRODUCT_ID || 1);

function succeeded(response) {
  check(response, {
    'status is ok': ({ status, body }) => status === 200 && body !== null && JSON.parse(body).code === 0,
  });
}

export function post(path, body) {
  succeeded(http.post(`${baseUrl}${path}`, JSON.stringify(body), { headers: { 'Content-Type': 'application/json' } }));
}

export function get(path) {
  succeeded(http.get(`${baseUrl}${path}`));
}
