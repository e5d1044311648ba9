import { problemOf, startForHostiles } from '../testing/hostile.test-support.ts';
import { testAdmin } from '../testing/start-test-api.test-support.ts';

type Shop = Awaited<ReturnType<typeof startForHostiles>>;

let shop: Shop;
beforeAll(async () => {
  shop = await startForHostiles();
});
afterAll(() => shop.close());

const post: Shop['post'] = (...request) => shop.post(...request);
const get: Shop['get'] = (...request) => shop.get(...request);

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

describe('identifiers, wherever they come in', () => {
  const ways: [string, (id: string) => Promise<Response>][] = [
    ['query', (id) => get(`/api/v1/entitlements?user_id=${encodeURIComponent(id)}`)],
    [
      'query of the project',
      (id) => get(`/api/v1/entitlements?user_id=u&project_id=${encodeURIComponent(id)}`),
    ],
    ['body', (id) => post('/api/v1/entitlements/batch', JSON.stringify({ user_ids: [id] }))],
    [
      'checkout',
      (id) => post('/api/v1/checkout/create', JSON.stringify(shop.api.order(shop.priceId, { user_id: id }))),
    ],
    [
      'grant',
      (id) =>
        post(
          '/api/v1/admin/grant',
          JSON.stringify({ project_id: shop.projectId, user_id: id, feature_code: 'f', reason: 'r' }),
        ),
    ],
    [
      'admin query',
      (id) => get(`/api/v1/admin/events?object_id=${encodeURIComponent(id)}`, testAdmin.secret),
    ],
  ];
  test.each(ways.flatMap(([way, call]) => badIds.map(([what, id]) => [way, what, call, id] as const)))(
    '%s refuses %s',
    async (_way, _what, call, id) => {
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
  test.each(goodIds)('takes %s, and answers about exactly that one', async (_what, id) => {
    for (const expected of ['miss', 'hit']) {
      const response = await get(`/api/v1/entitlements?user_id=${encodeURIComponent(id)}`);
      expect([response.status, response.headers.get('x-cache')]).toEqual([200, expected]);
      expect(await response.json()).toMatchObject({ user_id: id, entitlements: [] });
    }
  });
  test('two that look alike stay different', async () => {
    const grant = { project_id: shop.projectId, user_id: 'e\u0301', feature_code: 'f', reason: 'r' };
    expect((await post('/api/v1/admin/grant', JSON.stringify(grant))).status).toBe(201);
    expect([await countOf('e\u0301'), await countOf('\u00e9')]).toEqual([1, 0]);
  });
});

describe('texts are measured in characters, as the description says', () => {
  const grantFor = (reason: string) => {
    const body = { project_id: shop.projectId, user_id: 'measured', feature_code: 'f', reason };
    return post('/api/v1/admin/grant', JSON.stringify(body));
  };
  const sellWith = (value: string) => {
    const more = { user_id: `measured ${value.length}`, metadata: { note: value } };
    return post('/api/v1/checkout/create', JSON.stringify(shop.api.order(shop.priceId, more)));
  };

  test.each([
    ['a reason', 1_000, grantFor, 201],
    ['a value of metadata', 500, sellWith, 200],
  ] as const)('%s: %d beyond the basic plane are taken, one more is refused', async (...row) => {
    const [, most, send, status] = row;
    expect((await send('😀'.repeat(most))).status).toBe(status);
    expect(await problemOf(await send('😀'.repeat(most + 1)))).toEqual([400, 'invalid_request']);
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
    ['another user behind a thousand empty ones', `user_id=a${'&'.repeat(1_001)}user_id=b`],
    ['another project behind a thousand empty ones', `user_id=a${'&'.repeat(1_001)}project_id=b&nonsense=1`],
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
    ['', { user_id: 'is missing' }],
    ['user_id[]=a', { user_id: 'is missing', 'user_id[]': 'is not known here' }],
    ['user_id=a&user_id=b', { user_id: 'is given twice' }],
  ])('%s: says what is wrong, not in the names of types', async (query, expected) => {
    const response = await get(`/api/v1/entitlements?${query}`);
    const { errors } = (await response.json()) as { errors: { path: string; message: string }[] };
    expect(Object.fromEntries(errors.map(({ path, message }) => [path, message]))).toEqual(expected);
  });
  test('and what a body lacks is missing, at any depth and of any type', async () => {
    const grant = await post('/api/v1/admin/grant', '{}');
    const batch = await post('/api/v1/entitlements/batch', '{}');
    for (const response of [grant, batch]) {
      const { errors } = (await response.json()) as { errors: { message: string }[] };
      expect(new Set(errors.map(({ message }) => message))).toEqual(new Set(['is missing']));
    }
  });
  test('of calls that take none are refused, and nothing is done', async () => {
    const { projectId } = shop;
    const orders: [string, object][] = [
      ['/api/v1/admin/reconcile?dry_run=true', {}],
      ['/api/v1/admin/events/replay?dry_run=true', {}],
      ['/api/v1/admin/events/evt_1/replay?dry_run=true', {}],
      [`/api/v1/admin/projects/${projectId}/products?x=1`, { product_id: 'q', name: 'q', feature_codes: [] }],
      [
        '/api/v1/admin/grant?x=1',
        { project_id: projectId, user_id: 'query', feature_code: 'f', reason: 'r' },
      ],
      ['/api/v1/entitlements/batch?x=1', { user_ids: ['u'] }],
      ['/api/v1/checkout/create?x=1', shop.api.order(shop.priceId, { user_id: 'query' })],
      ['/api/v1/portal/create-session?x=1', { user_id: 'query', return_url: 'https://shop.example/' }],
    ];
    for (const [path, body] of orders) {
      const response = await post(path, JSON.stringify(body));
      const [name = ''] = new URLSearchParams(path.split('?')[1]).keys();
      expect(await response.json()).toMatchObject({
        code: 'invalid_request',
        errors: [{ path: name, message: 'is not known in the query here' }],
      });
    }
    const key = await fetch(`${shop.api.url}/api/v1/admin/projects/${projectId}/api-keys/x?force=true`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${testAdmin.secret}` },
    });
    expect(await problemOf(key)).toEqual([400, 'invalid_request']);
    expect(await shop.api.deps.database.run.count()).toBe(0);
    expect(await shop.api.deps.database.user.count({ where: { userId: 'query' } })).toBe(0);
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
