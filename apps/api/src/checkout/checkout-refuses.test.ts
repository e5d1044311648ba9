import { problemOf, startForHostiles } from '../testing/hostile.test-support.ts';

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
    ['a quantity in words', { quantity: '1' }],
    ['an unknown mode', { mode: 'setup' }],
    ['no e-mail', { email: 'nobody' }],
    ['an e-mail with a header', { email: 'a@b.co\r\nbcc: c@d.eu' }],
    ['a reserved name', { metadata: { user_id: 'other' } }],
    [
      'too many names',
      { metadata: Object.fromEntries(Array.from({ length: 47 }, (_, index) => [`k${index}`, 'v'])) },
    ],
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
