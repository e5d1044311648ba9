import { problemOf, startForHostiles } from '../testing/hostile.test-support.ts';
import { uniqueId } from '../testing/start-commerce.test-support.ts';

type Shop = Awaited<ReturnType<typeof startForHostiles>>;

let shop: Shop;
beforeAll(async () => {
  shop = await startForHostiles();
});
afterAll(() => shop.close());

const post: Shop['post'] = (...request) => shop.post(...request);

describe('the checkout refuses', () => {
  test.each<[string, object]>([
    ['a quantity of zero', { quantity: 0 }],
    ['a quantity beyond measure', { quantity: 1e308 }],
    ['half a piece', { quantity: 1.5 }],
    ['a million pieces', { quantity: 1_000_000 }],
    ['no trial', { trial_days: 0 }],
    ['a trial of more than two years', { trial_days: 731 }],
    ['half a day of trial', { trial_days: 1.5 }],
    ['a quantity in words', { quantity: '1' }],
    ['an unknown mode', { mode: 'setup' }],
    ['no e-mail', { email: 'nobody' }],
    ['an e-mail with a header', { email: 'a@b.co\r\nbcc: c@d.eu' }],
    ['a reserved name', { metadata: { user_id: 'other' } }],
    [
      'too many names',
      { metadata: Object.fromEntries(Array.from({ length: 47 }, (_, index) => [`k${index}`, 'v'])) },
    ],
    ['an empty name of metadata', { metadata: { '': 'v' } }],
    ['a name of 41 characters', { metadata: { ['k'.repeat(41)]: 'v' } }],
    ['a bracket in a name', { metadata: { 'a[b]': 'v' } }],
    ['a long value', { metadata: { a: 'x'.repeat(501) } }],
    ['a nested value', { metadata: { a: { b: 'c' } } }],
    ['NUL in a value', { metadata: { a: 'a\0b' } }],
    ['half a character in a value', { metadata: { a: 'a\ud800' } }],
    ['__proto__ in metadata', { metadata: JSON.parse('{"__proto__":"x"}') as object }],
    ['plain http', { success_url: 'http://app.example.com/' }],
    ['a script', { success_url: 'javascript:alert(1)' }],
    ['data', { success_url: 'data:text/html,x' }],
    ['no scheme', { success_url: '//app.example.com/' }],
    ['a name and password', { success_url: 'https://app.example.com@evil.example/' }],
    ['an empty name', { success_url: 'https://@app.example.com/' }],
    ['an empty name and password', { success_url: 'https://:@app.example.com/' }],
    ['a name only', { cancel_url: 'https://me@app.example.com/' }],
    ['a backslash', { success_url: 'https://evil.example\\@app.example.com/' }],
    ['a line break', { success_url: 'https://app.example.com/\r\nx' }],
    ['a tab inside', { success_url: 'https://app.exam\tple.com/' }],
    ['a localhost that is none', { success_url: 'http://localhost.evil.example/' }],
    ['one that is too long', { success_url: `https://app.example.com/${'x'.repeat(5_000)}` }],
    ['an unknown field', { discount: 100 }],
  ])('%s', async (_what, more) => {
    const response = await post(
      '/api/v1/checkout/create',
      JSON.stringify(shop.api.order(shop.priceId, more)),
    );
    expect(await problemOf(response)).toEqual([400, 'invalid_request']);
  });
});

test.each<[string, object]>([
  ['the most pieces', { quantity: 999_999 }],
  ['the longest trial', { trial_days: 730 }],
  [
    'as much metadata as Stripe has room for',
    {
      metadata: Object.fromEntries(
        Array.from({ length: 46 }, (_, index) => [`${'k'.repeat(38)}${index + 10}`, 'v'.repeat(500)]),
      ),
    },
  ],
  ['a page of this machine', { success_url: 'http://localhost:3000/', cancel_url: 'http://127.0.0.1/' }],
  [
    'one by its IPv6 address',
    { success_url: 'http://[::1]:3000/?a=b@c', cancel_url: 'https://a.example/@me' },
  ],
])('takes %s', async (_what, more) => {
  const order = shop.api.order(shop.priceId, { user_id: uniqueId('user'), ...more });
  const response = await post('/api/v1/checkout/create', JSON.stringify(order));
  expect(response.status).toBe(200);
});
