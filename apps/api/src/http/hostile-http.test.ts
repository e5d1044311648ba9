import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { startTestApi } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

let api: TestApi;
let apiKey: string;

beforeAll(async () => {
  api = await startTestApi({ env: { NODE_ENV: 'development' } });
  ({ apiKey } = await api.createProject());
});
afterAll(() => api.close());

/** Sends exactly these bytes and reads until the server closes the connection. */
async function send(...parts: string[]): Promise<string> {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(parts.join('\r\n'), 'latin1');
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of socket) chunks.push(chunk as Buffer);
  } catch {
    // A reset after the answer is an end too.
  }
  return Buffer.concat(chunks).toString();
}

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);

describe('invalid or too large HTTP', () => {
  test.each<[string, number, string[]]>([
    ['no request line', 400, ['hello', '', '']],
    ['an unknown method', 400, ['HACK / HTTP/1.1', 'host: x', '', '']],
    ['no host', 400, ['GET /healthz HTTP/1.1', 'connection: close', '', '']],
    [
      'two lengths',
      400,
      ['POST /healthz HTTP/1.1', 'host: x', 'content-length: 1', 'content-length: 2', '', 'ab'],
    ],
    [
      'a length and chunks',
      400,
      [
        'POST /healthz HTTP/1.1',
        'host: x',
        'content-length: 4',
        'transfer-encoding: chunked',
        '',
        '0',
        '',
        '',
      ],
    ],
    ['a header without a name', 400, ['GET /healthz HTTP/1.1', 'host: x', ': y', '', '']],
    ['a control character in a header', 400, ['GET /healthz HTTP/1.1', 'host: x', 'a: b\u0001c', '', '']],
    ['a URL of 20 KB', 431, [`GET /${'x'.repeat(20_000)} HTTP/1.1`, 'host: x', '', '']],
    ['headers of 20 KB', 431, ['GET /healthz HTTP/1.1', 'host: x', `a: ${'x'.repeat(20_000)}`, '', '']],
  ])('%s: %d as a problem, and the connection ends', async (_what, status, lines) => {
    const answer = await send(...lines);
    expect(statusOf(answer)).toBe(status);
    if (answer.includes('\r\n\r\n{')) return;
    // Node itself answers a request without a host.
    expect(lines.some((line) => line.startsWith('host'))).toBe(false);
  });
});

const call = (method: string, path: string, headers: Record<string, string> = {}) =>
  fetch(api.url + path, { method, headers: { authorization: `Bearer ${apiKey}`, ...headers } });

const get = (body: string) => [
  'GET /api/v1/entitlements?user_id=a HTTP/1.1',
  'host: x',
  `authorization: Bearer ${apiKey}`,
  `content-length: ${body.length}`,
];

describe('methods and headers', () => {
  test.each([
    ['/api/v1/entitlements?user_id=a', 'GET, HEAD'],
    ['/api/v1/entitlements/batch', 'POST'],
    ['/api/v1/webhooks/stripe', 'POST'],
    ['/api/v1/checkout/create', 'POST'],
    ['/api/v1/portal/create-session', 'POST'],
    ['/api/v1/metrics/project/x', 'GET, HEAD'],
    ['/healthz', 'GET, HEAD'],
    ['/metrics', 'GET, HEAD'],
    ['/openapi.json', 'GET, HEAD'],
    ['/docs', 'GET, HEAD'],
  ])('%s: other methods are 405 with Allow, also OPTIONS of a browser', async (path, allow) => {
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const response = await call(method, path, { origin: 'https://evil.example' });
      const body = (await response.json()) as { code: string };
      expect([response.status, response.headers.get('allow'), body.code]).toEqual([
        405,
        allow,
        'method_not_allowed',
      ]);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test.each([
    '/',
    '/api/v1',
    '/api/v1/Entitlements',
    '/Healthz',
    '/METRICS',
    '/Docs',
    '/admin/Queues',
    '/api/v2/entitlements',
    '/.env',
    '/api/v1/entitlements/../../etc/passwd',
    '//healthz',
    '/%2e%2e/x',
  ])('%s: 404', async (path) => {
    const answer = await send(`GET ${path} HTTP/1.1`, 'host: x', 'connection: close', '', '');
    expect(statusOf(answer)).toBe(404);
    expect(answer).toContain('"code":"route_not_found"');
  });

  test('HEAD is GET without the body', async () => {
    const response = await call('HEAD', '/api/v1/entitlements?user_id=a');
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'application/json; charset=utf-8',
      '',
    ]);
    expect((await call('HEAD', '/healthz')).status).toBe(200);
  });

  test('JSON is sent whatever Accept contains', async () => {
    const response = await call('GET', '/api/v1/entitlements?user_id=a', { accept: 'image/png' });
    expect(response.status).toBe(200);
  });

  test('an unknown expectation is refused with a problem', async () => {
    const answer = await send(
      'GET /healthz HTTP/1.1',
      'host: x',
      'expect: the-impossible',
      'connection: close',
      '',
      '',
    );
    expect(statusOf(answer)).toBe(400);
    expect(answer).toContain('"code":"invalid_request"');
    expect(answer).toMatch(/x-request-id: /i);
  });

  test('a body on GET is ignored, and is not taken for the next request', async () => {
    const smuggled = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n';
    const answer = await send(
      ...get(smuggled),
      '',
      smuggled + [...get(''), 'connection: close', '', ''].join('\r\n'),
    );
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    expect(answer).not.toContain('healthy');
  });

  test.each([
    ['/api/v1/entitlements?user_id=a', 200],
    ['/api/v1/entitlements', 400],
    ['/healthz', 200],
    ['/nowhere', 404],
  ])('%s forbids storing, sniffing and framing (%d)', async (path, status) => {
    const response = await call('GET', path);
    expect(response.status).toBe(status);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('x-powered-by')).toBeNull();
    expect(response.headers.get('x-request-id')).toMatch(/^[\w.:-]{1,128}$/);
  });

  test.each(['/healthz', '/nowhere', '/api/v1/entitlements', '/openapi.json'])(
    '%s loads nothing, sends no referrer, and cannot be framed or embedded',
    async (path) => {
      const { headers } = await call('GET', path);
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none';.*frame-ancestors 'none'/);
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    },
  );

  test.each(['a'.repeat(129), 'a b', 'a"b', '<script>'])(
    'an unsafe request id is replaced: %s',
    async (given) => {
      const response = await call('GET', '/healthz', { 'x-request-id': given });
      expect(response.headers.get('x-request-id')).not.toBe(given);
      expect((await call('GET', '/healthz', { 'x-request-id': 'sane-1' })).headers.get('x-request-id')).toBe(
        'sane-1',
      );
    },
  );
});

describe('slow clients', () => {
  test('have time limits, which Node checks every few seconds', async () => {
    const { createApiServer } = await import('./api-server.ts');
    const { default: express } = await import('express');
    const server = createApiServer(express());
    expect(server.headersTimeout).toBeLessThanOrEqual(20_000);
    expect(server.requestTimeout).toBeLessThanOrEqual(30_000);
    expect(server.timeout).toBeGreaterThan(15_000);
    expect(server.timeout).toBeLessThanOrEqual(60_000);
  });

  test('a client that does not read its answer is cut off', async () => {
    const { createApiServer } = await import('./api-server.ts');
    const { default: express } = await import('express');
    const app = express().use((_request, response) => void response.end('x'.repeat(50_000_000)));
    const server = createApiServer(app);
    server.setTimeout(300);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const socket = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    const accepted = await new Promise<Socket>((resolve) => server.once('connection', resolve));
    await new Promise((resolve) => accepted.once('close', resolve));
    expect(socket.bytesRead).toBeLessThan(50_000_000);
    socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  test.each(['headers', 'the body'])(
    'a client that sends %s too slowly gets 408 and is cut off',
    async (what) => {
      const { createApiServer } = await import('./api-server.ts');
      const { default: express } = await import('express');
      const server = createApiServer(express());
      server.headersTimeout = 200;
      server.requestTimeout = 400;
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const socket = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
      socket.write('POST / HTTP/1.1\r\nhost: x\r\n');
      if (what === 'the body') socket.write('content-type: application/json\r\ncontent-length: 100\r\n\r\n{');
      const chunks: Buffer[] = [];
      for await (const chunk of socket) chunks.push(chunk as Buffer);
      const answer = Buffer.concat(chunks).toString();
      expect(statusOf(answer)).toBe(408);
      expect(answer).toContain('"code":"request_timeout"');
      await new Promise((resolve) => server.close(resolve));
    },
  );
});
