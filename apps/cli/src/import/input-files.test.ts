import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCustomerList } from './customer-list.ts';
import { readMapping } from '@billing/sync';

const folder = mkdtempSync(join(tmpdir(), 'billing-import-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (content: string): string => {
  const path = join(folder, 'input');
  writeFileSync(path, content);
  return path;
};
const product = { product_id: 'pro', name: 'Pro', feature_codes: ['export'] };
const mapping = (...products: object[]): string => file(JSON.stringify({ products }));

test('a list of customers is read with quotes, a byte order mark, other columns and empty lines', () => {
  const text = '\uFEFFemail,user_id,stripe_customer_id\r\n"a,b",ann,cus_1\r\n\r\n,"b ""o"" b",cus_2\r\n';
  const list = readCustomerList(file(text));
  expect([...list]).toEqual([
    ['cus_1', 'ann'],
    ['cus_2', 'b "o" b'],
  ]);
});

test.each([
  ['no header', 'cus_1,ann\ncus_2,bob\n', 'columns stripe_customer_id and user_id'],
  ['a row too short', 'stripe_customer_id,user_id\ncus_1\n', 'no usable CSV'],
  ['no user', 'stripe_customer_id,user_id\ncus_1,\n', 'line 2: user_id must not be empty'],
  ['two users', 'stripe_customer_id,user_id\ncus_1,a\ncus_1,b\n', 'line 3: cus_1 is given to two users'],
])('a list with %s is refused', (_case, text, message) => {
  expect(() => readCustomerList(file(text))).toThrow(message);
});

test('a mapping is read', () => {
  const path = mapping({ ...product, stripe_product_id: 'prod_1' });
  expect(readMapping(path)).toEqual({ products: [{ ...product, stripe_product_id: 'prod_1', prices: [] }] });
});

test.each([
  ['no JSON', () => file('{'), 'is no JSON'],
  ['nothing to sell', () => mapping(product), 'needs a stripe_product_id or prices'],
  ['an unknown field', () => mapping({ ...product, stripe_product_id: 'p', feature: 1 }), 'feature'],
  [
    'a price twice',
    () => mapping({ ...product, prices: [{ stripe_price_id: 'p' }, { stripe_price_id: 'p' }] }),
    'stripe_price_id p twice',
  ],
  ['no file', () => join(folder, 'none'), "can't be read"],
])('a mapping with %s is refused', (_case, path, message) => {
  expect(() => readMapping(path())).toThrow(message);
});
