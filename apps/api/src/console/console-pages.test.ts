import { gunzipSync } from 'node:zlib';
import { startTestApi } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const get = (path: string, headers: Record<string, string> = {}) => fetch(api.url + path, { headers });

test.each(['/console', '/console/', '/console/index.html', '/console/users/shop/ann@example.com?tab=usage'])(
  '%s is the page, under a policy of its own',
  async (path) => {
    const [one, other] = [await get(path), await get(path)];
    const [page, again] = [await one.text(), await other.text()];
    const nonce = /nonce="([^"]+)"/.exec(page)?.[1] ?? '';
    expect(nonce).toMatch(/^[\w+/]{24}$/);
    expect(page).not.toContain('__CSP_NONCE__');
    expect(again).not.toContain(nonce);
    expect(one.headers.get('content-security-policy')).toBe(
      `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'`,
    );
    expect(Object.fromEntries(one.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'same-origin',
    });
  },
);

test('files are served by their names; what is named after its content is kept for ever', async () => {
  const style = '/console/assets/index-Ab12Cd34.css';
  const plain = await get(style, { 'accept-encoding': 'identity' });
  expect(Object.fromEntries(plain.headers)).toMatchObject({
    'content-type': 'text/css; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
    vary: 'accept-encoding',
  });
  const zipped = await api
    .http()
    .get(style)
    .set('accept-encoding', 'gzip')
    .buffer(true)
    .parse((response, done) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => done(null, Buffer.concat(chunks)));
    });
  expect(zipped.headers['content-encoding']).toBe('gzip');
  const text = await plain.text();
  // The client of the test may have unpacked it.
  const body = zipped.body as Buffer;
  expect((body[0] === 0x1f ? gunzipSync(body) : body).toString()).toBe(text);
  const icon = await get('/console/icon.svg');
  expect([icon.headers.get('content-type'), icon.headers.get('cache-control')]).toEqual([
    'image/svg+xml',
    'no-cache',
  ]);
  const head = await fetch(`${api.url}/console/icon.svg`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
});

test.each([
  '/console/assets/index-Gone0000.js',
  '/console/assets/..%2f..%2f..%2fpackage.json',
  '/console/assets/%00',
])('%s is not there', async (path) => {
  const answer = await get(path);
  expect([answer.status, await answer.json()]).toMatchObject([404, { code: 'route_not_found' }]);
});

test('other methods change nothing', async () => {
  const posted = await fetch(`${api.url}/console`, { method: 'POST' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  expect((await fetch(`${api.url}/console/users`, { method: 'DELETE' })).status).toBe(404);
});

test('a console that was not built says how to build it; CONSOLE=false takes all of it away', async () => {
  const ofBoth = { database: api.database, redis: api.redis };
  const notBuilt = await startTestApi({ ...ofBoth, consoleDirectory: '/nowhere' });
  const off = await startTestApi({ ...ofBoth, env: { CONSOLE: 'false' } });
  const refused = async (url: string) => {
    const answer = await fetch(url);
    const { code, detail } = (await answer.json()) as { code: string; detail: string };
    return [answer.status, code, detail.includes('npm run build')];
  };
  try {
    for (const path of ['/console', '/console/users'])
      expect(await refused(notBuilt.url + path)).toEqual([404, 'route_not_found', true]);
    for (const path of ['/console', '/console/session', '/console/users'])
      expect(await refused(off.url + path)).toEqual([404, 'route_not_found', false]);
  } finally {
    await notBuilt.close();
    await off.close();
  }
});
