import { HttpClient } from './http-client.ts';
import { loopbackOrigin, NotLoopback } from './loopback.ts';

it.each([
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
  ['http://127.0.0.1:8080/api', 'http://127.0.0.1:8080'],
  ['http://localhost:8080', 'http://127.0.0.1:8080'],
  ['http://127.3.2.1', 'http://127.3.2.1'],
  ['http://[::1]:8080', 'http://[::1]:8080'],
])('%s is this machine', (url, origin) => {
  expect(loopbackOrigin(url)).toBe(origin);
});

it.each([
  'http://192.0.2.1:8080',
  'http://shop.example',
  'http://localhost.shop.example',
  'http://127.0.0.1.shop.example',
  'http://0.0.0.0:8080',
  'http://[::]:8080',
  'http://[2001:db8::1]',
  'http://127.0.0.1@shop.example',
])('%s is refused', (url) => {
  expect(() => loopbackOrigin(url)).toThrow(NotLoopback);
  expect(() => new HttpClient(url, 1)).toThrow(NotLoopback);
});

it('wants http', () => {
  expect(() => loopbackOrigin('https://127.0.0.1')).toThrow(TypeError);
});
