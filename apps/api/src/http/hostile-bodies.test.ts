import { gzipSync } from 'node:zlib';
import { problemOf, startForHostiles } from '../testing/hostile.test-support.ts';

type Shop = Awaited<ReturnType<typeof startForHostiles>>;

let shop: Shop;
beforeAll(async () => {
  shop = await startForHostiles();
});
afterAll(() => shop.close());

const post: Shop['post'] = (...request) => shop.post(...request);

describe('bodies', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  test.each<[string, string]>([
    ['nothing', ''],
    ['null', 'null'],
    ['a number', '1'],
    ['a text', '"user_ids"'],
    ['an array', '[]'],
    ['no JSON', '{"user_ids":'],
    ['a trailing comma', '{"user_ids":["a"],}'],
    ['a comment', '{"user_ids":["a"]} // yes'],
    ['a number for a text', '{"user_ids":[1]}'],
    ['an object for a text', '{"user_ids":[{"a":1}]}'],
    ['a text for a list', '{"user_ids":"a"}'],
    ['an empty list', '{"user_ids":[]}'],
    ['101 users', JSON.stringify({ user_ids: Array.from({ length: 101 }, String) })],
    ['a hundred thousand levels', deep],
    ['a hundred thousand levels inside', `{"user_ids":${deep}}`],
    ['a hundred thousand levels in an unknown field', `{"user_ids":["a"],"x":${deep}}`],
    ['an unknown field', '{"user_ids":["a"],"admin":true}'],
    ['__proto__', '{"user_ids":["a"],"__proto__":{"admin":true}}'],
    ['constructor', '{"user_ids":["a"],"constructor":{"prototype":{}}}'],
    ['NUL', '{"user_ids":["\\u0000"]}'],
    ['bytes that are no UTF-8', '{"user_ids":["\ufffd"]}'],
  ])('%s: 400', async (_what, body) => {
    expect(await problemOf(await post('/api/v1/entitlements/batch', body))).toEqual([400, 'invalid_request']);
  });
  test('what is no JSON is refused with an error about all of it', async () => {
    const response = await post('/api/v1/entitlements/batch', '{"user_ids":');
    expect(await response.json()).toMatchObject({
      code: 'invalid_request',
      errors: [{ path: '', message: 'is not well-formed JSON, or not complete' }],
    });
  });
  test.each<[string, string, object]>([
    ['users', 'user_ids', { user_ids: Array.from({ length: 20_000 }, () => '') }],
    ['fields', '', Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`f${index}`, 1]))],
    [
      'fields of a field',
      'metadata',
      { metadata: Object.fromEntries(Array.from({ length: 15_000 }, (_, index) => [`[${index}`, 1])) },
    ],
  ])('too many %s are refused with one error, and none of them is validated', async (_what, path, body) => {
    for (const address of ['/api/v1/entitlements/batch', '/api/v1/checkout/create']) {
      const response = await post(address, JSON.stringify(body));
      expect(await response.json()).toMatchObject({
        status: 400,
        code: 'invalid_request',
        errors: [{ path, message: 'must not have more than 1000 entries' }],
      });
    }
  });
  test('null is not an empty body, not even where every field may be left out', async () => {
    const path = `/api/v1/admin/projects/${shop.projectId}/api-keys`;
    expect(await problemOf(await post(path, 'null'))).toEqual([400, 'invalid_request']);
  });
  test('the last of doubled keys counts, as in every JSON parser', async () => {
    const response = await post('/api/v1/entitlements/batch', '{"user_ids":["a"],"user_ids":["b"]}');
    expect(await response.json()).toMatchObject({ results: [{ user_id: 'b' }] });
  });
  test.each([
    [{ 'content-type': 'text/plain' }, '{}'],
    [{ 'content-type': 'application/x-www-form-urlencoded' }, 'user_ids[]=a'],
    [{ 'content-type': 'multipart/form-data; boundary=x' }, '--x--'],
    [{ 'content-type': 'application/json; charset=latin1' }, '{"user_ids":["a"]}'],
    [{ 'content-type': 'application/json; charset=utf-16' }, '{"user_ids":["a"]}'],
    [{ 'content-type': 'application/json; charset="utf-32"' }, '{"user_ids":["a"]}'],
    [{ 'content-type': '' }, '{"user_ids":["a"]}'],
    [{ 'content-encoding': 'gzip' }, gzipSync('{"user_ids":["a"]}')],
    [{ 'content-encoding': 'br' }, 'x'],
    [{ 'content-encoding': 'nonsense' }, '{}'],
  ])('%p: 415', async (headers, body) => {
    expect(await problemOf(await post('/api/v1/entitlements/batch', body, headers))).toEqual([
      415,
      'unsupported_media_type',
    ]);
  });
  test.each(['application/json', 'application/json; charset=utf-8', 'application/json;charset="UTF-8"'])(
    '%s: is taken',
    async (type) => {
      const response = await post('/api/v1/entitlements/batch', '{"user_ids":["a"]}', {
        'content-type': type,
      });
      expect(response.status).toBe(200);
    },
  );
  test('too large: 413', async () => {
    const body = JSON.stringify({ user_ids: ['x'.repeat(300_000)] });
    const refused = await post('/api/v1/entitlements/batch', body);
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({
      code: 'payload_too_large',
      detail: 'Send a body of at most 256 KiB.',
    });
  });
});
