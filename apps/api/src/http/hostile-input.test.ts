import { gzipSync } from 'node:zlib';
import { startCommerce } from '../testing/start-commerce.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';
import { testAdmin } from '../testing/start-test-api.test-support.ts';

let api: Commerce;
let projectId: string;
let apiKey: string;
let priceId: string;

beforeAll(async () => {
  api = await startCommerce();
  ({ projectId, apiKey } = await api.createProject());
  ({ priceId } = await api.sell(projectId));
});
afterAll(() => api.close());

const get = (path: string, token = apiKey) =>
  fetch(api.url + path, { headers: { authorization: `Bearer ${token}` } });

/** A body as it is, not as a client library would make it. */
const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  fetch(api.url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${path.includes('/admin/') ? testAdmin.secret : apiKey}`,
      'content-type': 'application/json',
      ...headers,
    },
    body,
  });

/** Status and code of a refusal, which must be a problem that tells nothing of our insides. */
async function problemOf(response: Response): Promise<[number, string]> {
  const body = (await response.json()) as { code: string; status: number };
  expect([response.headers.get('content-type'), body.status]).toEqual([
    'application/problem+json; charset=utf-8',
    response.status,
  ]);
  expect(JSON.stringify(body)).not.toMatch(/node_modules|\bat .*:\d+:\d+|SELECT|prisma/i);
  return [response.status, body.code];
}

const badIds: [string, string][] = [
  ['empty', ''],
  ['too long', 'x'.repeat(257)],
  ['a leading space', ' a'],
  ['a trailing space', 'a '],
  ['a trailing line break', 'a\n'],
  ['a no-break space at the end', 'a\u00a0'],
  ['NUL', 'a\0b'],
  ['an escape', 'a\u001bb'],
  ['a C1 control character', 'a\u0085b'],
  ['the replacement character', 'a\ufffdb'],
];
const goodIds: [string, string][] = [
  ['punctuation', `a'"\\;:/?#[]@!$&()*+,={}|<>^\`%`],
  ['a separator of keys', 'project:user'],
  ['256 characters beyond the basic plane', '😀'.repeat(256)],
  ['another normal form', 'e\u0301'],
  ['a glob', '*'],
  ['what looks like SQL', `x'; DROP TABLE users; --`],
  ['__proto__', '__proto__'],
  ['right-to-left marks', 'a\u202eb'],
];

async function countOf(id: string): Promise<number> {
  const response = await get(`/api/v1/entitlements?user_id=${encodeURIComponent(id)}`);
  return ((await response.json()) as { entitlements: unknown[] }).entitlements.length;
}

describe('identifiers, at every door', () => {
  const doors: [string, (id: string) => Promise<Response>][] = [
    ['query', (id) => get(`/api/v1/entitlements?user_id=${encodeURIComponent(id)}`)],
    [
      'query of the project',
      (id) => get(`/api/v1/entitlements?user_id=u&project_id=${encodeURIComponent(id)}`),
    ],
    ['body', (id) => post('/api/v1/entitlements/batch', JSON.stringify({ user_ids: [id] }))],
    [
      'checkout',
      (id) => post('/api/v1/checkout/create', JSON.stringify(api.order(priceId, { user_id: id }))),
    ],
    [
      'grant',
      (id) =>
        post(
          '/api/v1/admin/grant',
          JSON.stringify({ project_id: projectId, user_id: id, feature_code: 'f', reason: 'r' }),
        ),
    ],
    [
      'admin query',
      (id) => get(`/api/v1/admin/events?object_id=${encodeURIComponent(id)}`, testAdmin.secret),
    ],
  ];
  test.each(doors.flatMap(([door, call]) => badIds.map(([what, id]) => [door, what, call, id] as const)))(
    '%s refuses %s',
    async (_door, _what, call, id) => {
      expect(await problemOf(await call(id))).toEqual([400, 'invalid_request']);
    },
  );
  test.each(badIds.filter(([, id]) => id !== '' && id.trim() === id))(
    'a path refuses %s',
    async (_what, id) => {
      const path = `/api/v1/admin/projects/${encodeURIComponent(id)}`;
      expect(await problemOf(await get(path, testAdmin.secret))).toEqual([400, 'invalid_request']);
    },
  );
  test('a body refuses lone surrogates', async () => {
    for (const id of ['"\\ud800"', '"a\\udc00b"'])
      expect(await problemOf(await post('/api/v1/entitlements/batch', `{"user_ids":[${id}]}`))).toEqual([
        400,
        'invalid_request',
      ]);
  });
  test.each(goodIds)('takes %s, and answers about that very one', async (_what, id) => {
    for (const expected of ['miss', 'hit']) {
      const response = await get(`/api/v1/entitlements?user_id=${encodeURIComponent(id)}`);
      expect([response.status, response.headers.get('x-cache')]).toEqual([200, expected]);
      expect(await response.json()).toMatchObject({ user_id: id, entitlements: [] });
    }
  });
  test('two that look alike stay two', async () => {
    const grant = { project_id: projectId, user_id: 'e\u0301', feature_code: 'f', reason: 'r' };
    expect((await post('/api/v1/admin/grant', JSON.stringify(grant))).status).toBe(201);
    expect([await countOf('e\u0301'), await countOf('\u00e9')]).toEqual([1, 0]);
  });
});

describe('queries', () => {
  test.each([
    ['repeated', 'user_id=a&user_id=b'],
    ['repeated, the same', 'user_id=a&user_id=a'],
    ['an array', 'user_id[]=a'],
    ['an object', 'user_id[a]=b'],
    ['an object beside the right one', 'user_id=a&user_id[a]=b'],
    ['nothing', ''],
    ['unknown', 'user_id=a&nonsense=1'],
    ['a prototype', 'user_id=a&__proto__=b'],
    ['a prototype as an object', 'user_id=a&__proto__[x]=b'],
    ['a thousand', `user_id=a&${Array.from({ length: 1_000 }, (_, index) => `p${index}=1`).join('&')}`],
    ['two thousand of one name', Array.from({ length: 1_000 }, () => 'user_id=a').join('&')],
    ['a lonely percent sign', 'user_id=%'],
    ['an escape of no digits', 'user_id=%zz'],
    ['half an escape', 'user_id=a%4'],
    ['half a character', 'user_id=%e2%82'],
    ['bytes that are no UTF-8', 'user_id=%ff%fe'],
    ['a surrogate in bytes', 'user_id=%ed%a0%80'],
    ['an overlong form', 'user_id=%c0%af'],
    ['NUL', 'user_id=%00'],
    ['explain of another word', 'user_id=a&explain=yes'],
  ])('%s: 400', async (_what, query) => {
    expect(await problemOf(await get(`/api/v1/entitlements?${query}`))).toEqual([400, 'invalid_request']);
  });
  test.each([
    'limit=0',
    'limit=101',
    'limit=1e9',
    'limit=',
    'limit=1&limit=2',
    'limit=-1',
    'limit=NaN',
    'cursor=',
  ])('a list refuses %s', async (query) => {
    expect(await problemOf(await get(`/api/v1/admin/audit?${query}`, testAdmin.secret))).toEqual([
      400,
      'invalid_request',
    ]);
  });
  test.each(['projects', 'events', 'audit', 'quarantine'])('a made-up cursor of %s is 400', async (list) => {
    for (const cursor of [
      'x',
      '%00',
      btoa('["\\u0000"]'),
      btoa('[1e400,"a"]'),
      btoa('[-1,"a"]'),
      btoa('["9".repeat(99)]'),
    ]) {
      const path = `/api/v1/admin/${list}?cursor=${encodeURIComponent(cursor)}`;
      expect(await problemOf(await get(path, testAdmin.secret))).toEqual([400, 'invalid_request']);
    }
  });
  test('paths that cannot be decoded: 400; too long a URL: 431', async () => {
    expect(await problemOf(await get('/api/v1/admin/projects/%ff', testAdmin.secret))).toEqual([
      400,
      'invalid_request',
    ]);
    expect(await problemOf(await get('/api/v1/admin/projects/%zz', testAdmin.secret))).toEqual([
      400,
      'invalid_request',
    ]);
    const long = await get(`/api/v1/entitlements?user_id=${'x'.repeat(20_000)}`);
    expect(await problemOf(long)).toEqual([431, 'request_header_too_large']);
  });
});

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
  test('null is no empty body, not even where every field may be left out', async () => {
    const path = `/api/v1/admin/projects/${projectId}/api-keys`;
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
  test('too large: 413', async () => {
    const body = JSON.stringify({ user_ids: ['x'.repeat(300_000)] });
    expect(await problemOf(await post('/api/v1/entitlements/batch', body))).toEqual([
      413,
      'payload_too_large',
    ]);
  });

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
  ])('the checkout refuses %s', async (_what, more) => {
    const response = await post('/api/v1/checkout/create', JSON.stringify(api.order(priceId, more)));
    expect(await problemOf(response)).toEqual([400, 'invalid_request']);
  });
});
