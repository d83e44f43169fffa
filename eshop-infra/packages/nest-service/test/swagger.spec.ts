import { stockContract } from '@eshop/proto/stock';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { startTestService, type TestService } from '../src/testing/index.js';
import { AppConfig, AppModule } from './app/app.module.js';
import { type StrippingProxy, strippingProxy } from './support/stripping-proxy.js';

let service: TestService<z.ZodObject>;
let silent: StrippingProxy;
let telling: StrippingProxy;
beforeAll(async () => {
  service = await startTestService(AppModule, { contract: stockContract, config: AppConfig });
  silent = await strippingProxy(service.http, '/shop');
  telling = await strippingProxy(service.http, '/shop', { 'x-forwarded-prefix': '/shop/' });
});
afterAll(async () => {
  await silent?.close();
  await telling?.close();
  await service?.close();
});

interface Document {
  servers: { url: string }[];
  paths: Record<string, object>;
}

/** Where an operation is sent: the server, resolved against the address of the document, and the path behind it. */
async function addressOf(documentUrl: string, path: string): Promise<string> {
  const document = (await (await fetch(documentUrl)).json()) as Document;
  expect(document.paths).toHaveProperty([path]);
  const [server] = document.servers;
  return new URL(server?.url ?? '', documentUrl).href.replace(/\/$/, '') + path;
}

const bases = () =>
  [
    ['at the root', service.http],
    ['under a prefix that the proxy does not tell', silent.url],
    ['under a prefix that the proxy tells', telling.url],
  ] as const;

describe.each([0, 1, 2])('Swagger', (index) => {
  const base = () => bases()[index]?.[1] ?? '';

  test('redirects stay where the page is', async () => {
    for (const path of ['/apis/swagger', '/apis/swagger/', '/apis/swagger?x=1']) {
      const answer = await fetch(base() + path);
      expect([answer.status, answer.url]).toEqual([200, `${base()}/apis/swagger/index.html`]);
    }
  });

  test('all that the page loads is beside it', async () => {
    const url = `${base()}/apis/swagger/index.html`;
    const html = await (await fetch(url)).text();
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => new URL(file ?? '', url).href);
    expect(files).toHaveLength(4);
    for (const file of files) {
      expect(file.startsWith(base())).toBe(true);
      expect((await fetch(file)).status).toBe(200);
    }
    const script = await (await fetch(`${base()}/apis/swagger/swagger-initializer.js`)).text();
    const document = new URL(/url: '([^']+)'/.exec(script)?.[1] ?? '', url).href;
    expect(document).toBe(`${base()}/apis/swagger.json`);
  });

  test.each(['/apis/swagger.json', '/apis/swagger/doc.json'])('what is tried out by %s is sent there', async (path) => {
    const address = await addressOf(base() + path, '/api/v1/stock/list');
    expect(address).toBe(`${base()}/api/v1/stock/list`);
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(address, { method: 'POST', headers, body: '{}' })).status).toBe(200);
  });

  test('nothing was asked for outside of the prefix', () => {
    expect([...silent.outside, ...telling.outside]).toEqual([]);
  });
});

test('the page has no script and no style of its own, and forbids them', async () => {
  const page = await fetch(`${service.http}/apis/swagger/index.html`);
  const html = await page.text();
  for (const [, attributes, text] of html.matchAll(/<(?:script|style)([^>]*)>([^<]*)</g)) {
    expect([attributes, text]).toEqual([expect.stringMatching(/src="\.\//), '']);
  }
  expect(html).not.toMatch(/\s(?:on\w+|style)=|javascript:|<style/i);
  const policy = page.headers.get('content-security-policy')?.split('; ');
  expect(policy).toEqual(expect.arrayContaining(["default-src 'none'", "script-src 'self'", "style-src 'self'"]));
  expect(policy?.join()).not.toMatch(/unsafe|\*|https?:/);
});

test.each([
  ['/shop', '/shop'],
  ['/shop/', '/shop'],
  ['/a/b-c_d.e~f', '/a/b-c_d.e~f'],
  ['', '..'],
  ['/', '..'],
  ['shop', '..'],
  ['//evil.example', '..'],
  ['/shop//x', '..'],
  ['/../x', '..'],
  ['/a/..', '..'],
  ['/./x', '..'],
  ['https://evil.example', '..'],
  ['/"><script>', '..'],
  ['/a b', '..'],
  ['/a?b', '..'],
  ['/a#b', '..'],
  ['/a,/b', '..'],
  ['/%2e%2e', '..'],
  ['/\\evil.example', '..'],
  [`/${'x'.repeat(2000)}`, '..'],
])('X-Forwarded-Prefix %j: the server is %s', async (prefix, url) => {
  const answer = await fetch(`${service.http}/apis/swagger.json`, { headers: { 'x-forwarded-prefix': prefix } });
  expect(((await answer.json()) as Document).servers).toEqual([{ url }]);
  expect(answer.headers.get('vary')).toBe('X-Forwarded-Prefix');
});
