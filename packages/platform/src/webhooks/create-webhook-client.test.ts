import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createTcpServer, connect } from 'node:net';
import type { Server as TcpServer, Socket } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { readNetwork } from './allowed-address.ts';
import { UrlNotAllowed } from './check-webhook-url.ts';
import { createWebhookClient } from './create-webhook-client.ts';
import type { WebhookClient, WebhookSettings } from './create-webhook-client.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const loopback = ['127.0.0.0/8', '::1/128'].map(readNetwork).filter((one) => one !== undefined);
const settings: WebhookSettings = {
  keys: [],
  timeoutMs: 1_000,
  allowsHttp: true,
  allowedNetworks: loopback,
  proxy: undefined,
};

const servers: (Server | TcpServer)[] = [];
const sockets = new Set<Socket>();
const clients: WebhookClient[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  for (const server of servers.splice(0)) server.close();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});

async function listen(server: Server | TcpServer): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function newClient(change: Partial<WebhookSettings> = {}): WebhookClient {
  const client = createWebhookClient({ ...settings, ...change });
  clients.push(client);
  return client;
}

const message = (url: string) => ({
  url,
  messageId: 'msg_1',
  body: '{"type":"webhook.ping"}',
  secrets: [secret],
});

const post = (url: string, change: Partial<WebhookSettings> = {}) => newClient(change).post(message(url));

/** A server that speaks HTTP. */
async function receiver(listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(listener))}/hook?a=1`;
}

/** One that does what it likes with a connection once a request came. */
const rawReceiver = async (act: (socket: Socket) => void): Promise<string> =>
  `http://127.0.0.1:${await listen(
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => act(socket));
    }),
  )}/`;

test('a message arrives as Standard Webhooks say, and a resend says that it is one', async () => {
  const seen: { url: string | undefined; headers: Record<string, unknown>; body: string }[] = [];
  const url = await receiver((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen.push({ url: request.url, headers: request.headers, body });
      response.writeHead(201).end('thanks');
    });
  });
  const client = newClient();
  const attempt = await client.post(message(url));
  await client.post({ ...message(url), isResend: true });
  expect(attempt).toMatchObject({ status: 201, error: null, response: 'thanks', retryAfter: null });
  const [first, second] = seen;
  expect(first?.url).toBe('/hook?a=1');
  expect(new Webhook(secret).verify(first?.body ?? '', first?.headers as Record<string, string>)).toEqual({
    type: 'webhook.ping',
  });
  expect(first?.headers).toMatchObject({
    'content-type': 'application/json',
    'user-agent': expect.stringContaining('billing'),
    'webhook-id': 'msg_1',
  });
  expect(first?.headers['webhook-resend']).toBeUndefined();
  expect(second?.headers['webhook-resend']).toBe('true');
  expect(second?.headers['webhook-id']).toBe('msg_1');
});

test('a connection is used again, and one that was closed meanwhile costs no try', async () => {
  const connections = new Set<Socket>();
  const url = await receiver((request, response) => {
    connections.add(request.socket);
    request.resume().on('end', () => response.end());
  });
  const client = newClient();
  for (const _ of [1, 2, 3]) expect(await client.post(message(url))).toMatchObject({ status: 200 });
  expect(connections.size).toBe(1);
  for (const socket of connections) socket.destroy();
  expect(await client.post(message(url))).toMatchObject({ status: 200 });
  expect(connections.size).toBe(2);
});

const noAnswer = (error: string) => ({ status: null, error });
const answered = (status: number, more: object) => ({ status, error: null, ...more });
/** Headers and the start of a body, of which more is to come. */
const half = (head: string, start: string): string =>
  `HTTP/1.1 ${head}\r\ncontent-length: 100\r\n\r\n${start}`;
const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n';

test.each<[string, (socket: Socket) => void, object]>([
  ['hangs', () => undefined, noAnswer('timeout')],
  ['resets the connection', (socket) => socket.resetAndDestroy(), noAnswer('connection_reset')],
  ['closes it without an answer', (socket) => socket.end(), noAnswer('connection_reset')],
  ['speaks no HTTP', (socket) => socket.end('SSH-2.0-x\r\n\r\n'), noAnswer('bad_answer')],
  [
    'sends headers without end',
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const write = (): void => void (socket.destroyed || (socket.write('x: y\r\n'), setTimeout(write, 50)));
      write();
    },
    noAnswer('timeout'),
  ],
  ['changes the protocol', (socket) => socket.write(upgrade), answered(101, { response: '' })],
  ['cuts its body', (socket) => socket.end(half('200 OK', 'half')), answered(200, { response: 'half' })],
  [
    'is slow with it',
    (socket) => socket.write(half('202 Accepted', 'slow')),
    answered(202, { response: 'slow' }),
  ],
  [
    'fails and cuts it',
    (socket) => socket.end(half('503 No\r\nretry-after: 7', '')),
    answered(503, { retryAfter: '7' }),
  ],
])('a receiver that %s', async (_what, act, outcome) => {
  const url = await rawReceiver(act);
  expect(await post(url, { timeoutMs: 400 })).toMatchObject(outcome);
});

test('of an answer without end 64 KB are read and 512 bytes kept, and text is one that can be stored', async () => {
  let sent = 0;
  const url = await receiver((_request, response) => {
    response.writeHead(200);
    const write = (): void => {
      if (response.destroyed || sent > 50_000_000) return;
      sent += 65_536;
      if (response.write(Buffer.alloc(65_536, 0))) setImmediate(write);
      else response.once('drain', write);
    };
    write();
  });
  const attempt = await post(url, { timeoutMs: 10_000 });
  expect(attempt).toMatchObject({ status: 200, error: null, response: '\uFFFD'.repeat(512) });
  expect(sent).toBeLessThan(50_000_000);
});

test('a redirect is an answer like others, and is not followed', async () => {
  let hits = 0;
  const target = await receiver((_request, response) => {
    hits += 1;
    response.end();
  });
  const url = await receiver((_request, response) => response.writeHead(307, { location: target }).end());
  expect(await post(url)).toMatchObject({ status: 307, error: null });
  expect(hits).toBe(0);
});

describe('addresses that are not public', () => {
  let connections = 0;
  let port = 0;

  beforeEach(async () => {
    connections = 0;
    const server = createServer((_request, response) => response.end());
    server.on('connection', () => (connections += 1));
    port = await listen(server);
  });

  const guarded = { allowedNetworks: [] };

  it.each([
    ['127.0.0.1'],
    ['2130706433'],
    ['0x7f.1'],
    ['017700000001'],
    ['[::1]'],
    ['[::ffff:127.0.0.1]'],
    ['[::127.0.0.1]'],
    ['[64:ff9b::7f00:1]'],
    ['0.0.0.0'],
    ['localhost'],
    ['169.254.169.254'],
  ])('%s is called by nobody', async (host) => {
    const url = `http://${host}:${port}/`;
    expect(await post(url, guarded)).toMatchObject({
      status: null,
      error: 'url_not_allowed',
      response: null,
    });
    await expect(newClient(guarded).checkUrl(url)).rejects.toThrow(UrlNotAllowed);
    expect(connections).toBe(0);
  });

  it('a name that changes its address between the check and the connection leads nowhere', async () => {
    let asked = 0;
    const resolve = async () => {
      asked += 1;
      return [{ address: asked === 1 ? '93.184.216.34' : '127.0.0.1', family: 4 }];
    };
    const client = newClient({ ...guarded, resolve });
    const url = `http://rebinding.example:${port}/`;
    await client.checkUrl(url);
    expect(await client.post(message(url))).toMatchObject({ status: null, error: 'url_not_allowed' });
    expect({ asked, connections }).toEqual({ asked: 2, connections: 0 });
  });

  it('a name with one such address among others leads nowhere', async () => {
    const resolve = async () => [
      { address: '127.0.0.1', family: 4 },
      { address: '10.0.0.1', family: 4 },
    ];
    const url = `http://both.example:${port}/`;
    expect(await post(url, { resolve })).toMatchObject({ status: null, error: 'url_not_allowed' });
    expect(connections).toBe(0);
  });

  it('the address that was checked is the one that is connected to', async () => {
    let asked = 0;
    const resolve = async () => {
      asked += 1;
      return [{ address: asked === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 }];
    };
    expect(await post(`http://once.example:${port}/`, { resolve })).toMatchObject({ status: 200 });
    expect({ asked, connections }).toEqual({ asked: 1, connections: 1 });
  });
});

test.each([
  ['http://example.com/', { allowsHttp: false }],
  ['ftp://example.com/', {}],
  ['https://user@example.com/', {}],
  ['https://:word@example.com/', {}],
  ['example.com', {}],
  ['https://', {}],
  ['https://name.invalid/', {}],
])('%s is not saved', async (url, change) => {
  await expect(newClient(change).checkUrl(url)).rejects.toThrow(UrlNotAllowed);
});

test('a certificate that nobody vouches for, a port that is closed and a name that is none are told apart', async () => {
  const closed = await listen(createServer());
  await new Promise((resolve) => servers.pop()?.close(resolve));
  expect(await post(`http://127.0.0.1:${closed}/`)).toMatchObject({
    status: null,
    error: 'connection_refused',
  });
  expect(await post('https://name.invalid/')).toMatchObject({ status: null, error: 'name_not_resolved' });
  const plain = await receiver((_request, response) => response.end());
  expect(await post(plain.replace('http:', 'https:'))).toMatchObject({ status: null, error: 'tls_failed' });
});

describe('through a proxy', () => {
  let asked: { target: string; credentials: string | undefined }[] = [];
  let mode: 'connect' | 'refuse' | 'hang' = 'connect';
  let proxy = '';

  beforeEach(async () => {
    asked = [];
    mode = 'connect';
    const server = createServer();
    server.on('connect', ({ url = '', headers }, socket) => {
      asked.push({ target: url, credentials: headers['proxy-authorization'] });
      socket.on('error', () => undefined);
      if (mode === 'hang') return;
      if (mode === 'refuse') return void socket.end('HTTP/1.1 407 No\r\n\r\n');
      const upstream = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connected\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      upstream.on('error', () => socket.destroy());
      sockets.add(upstream);
    });
    proxy = `http://us%3Aer:pass@127.0.0.1:${await listen(server)}`;
  });

  it('all goes by CONNECT, names unresolved', async () => {
    const url = await receiver((request, response) =>
      request.resume().on('end', () => response.end('hello')),
    );
    const { port } = new URL(url);
    const named = `http://name.invalid:${port}/hook`;
    const client = newClient({ proxy, allowedNetworks: [] });
    await client.checkUrl(named);
    expect(await client.post(message(named))).toMatchObject({ status: 200, response: 'hello' });
    expect(asked).toEqual([
      {
        target: `name.invalid:${port}`,
        credentials: `Basic ${Buffer.from('us:er:pass').toString('base64')}`,
      },
    ]);
  });

  it('addresses are checked here', async () => {
    const client = newClient({ proxy, allowedNetworks: [] });
    await expect(client.checkUrl('http://127.0.0.1:9/')).rejects.toThrow(UrlNotAllowed);
    expect(await client.post(message('http://127.0.0.1:9/'))).toMatchObject({ error: 'url_not_allowed' });
    expect(asked).toEqual([]);
  });

  it.each([
    ['refuse', 'proxy_refused'],
    ['hang', 'timeout'],
  ] as const)('that does %s: %s', async (does, error) => {
    mode = does;
    expect(await post('https://name.invalid/', { proxy, timeoutMs: 300 })).toMatchObject({
      status: null,
      error,
    });
  });
});
