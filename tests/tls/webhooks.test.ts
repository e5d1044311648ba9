import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createProxy } from 'node:http';
import { createServer } from 'node:https';
import { connect } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createCertificateFolder } from './certificates.test-support.ts';
import type { CertificateFolder } from './certificates.test-support.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Posts to each URL of its arguments, one after the other, and prints what came of it. */
const script = `
  import { createWebhookClient } from '@billing/platform';
  import { webhookFields, webhookSettings, parseEnv } from '@billing/platform';
  import { z } from 'zod';
  const client = createWebhookClient(webhookSettings(parseEnv(z.object(webhookFields), process.env)));
  const secrets = ['whsec_' + Buffer.alloc(32).toString('base64')];
  for (const url of process.argv.slice(1)) {
    const { status, error } = await client.post({ url, messageId: 'msg_1', body: '{}', secrets });
    console.log(JSON.stringify({ status, error }));
  }
  client.close();
`;

let folder: CertificateFolder;
let ca = '';
const servers: Server[] = [];

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function secureReceiver(authority: string, names: string): Promise<number> {
  const { cert, key } = folder.createAuthority(authority).sign('receiver', names);
  const files = { cert: readFileSync(cert), key: readFileSync(key) };
  return listen(createServer(files, (request, response) => request.resume().on('end', () => response.end())));
}

function post(env: Record<string, string>, ...urls: string[]): Promise<unknown[]> {
  const child = spawn(
    process.execPath,
    ['--conditions=@billing/source', '--import', 'tsx', '--input-type=module', '-e', script, ...urls],
    {
      cwd: root,
      env: {
        PATH: process.env['PATH'],
        NODE_EXTRA_CA_CERTS: ca,
        WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8,::1/128',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () =>
      resolve(
        text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line)),
      ),
    );
  });
}

beforeAll(() => {
  folder = createCertificateFolder();
});
afterAll(() => {
  for (const server of servers) server.close();
  folder.remove();
});

test('webhooks go to receivers whose certificate is right, also through a proxy, and to no others', async () => {
  const trusted = await secureReceiver('ours', 'DNS:localhost');
  ca = folder.file('ours.crt');
  const strange = await secureReceiver('strangers', 'DNS:localhost');
  const misnamed = `https://127.0.0.1:${trusted}/`;
  const urls = [
    `https://localhost:${trusted}/`,
    `https://localhost:${trusted}/again`,
    `https://localhost:${strange}/`,
    misnamed,
  ];
  const outcomes = [
    { status: 200, error: null },
    { status: 200, error: null },
    { status: null, error: 'tls_failed' },
    { status: null, error: 'tls_failed' },
  ];
  expect(await post({}, ...urls)).toEqual(outcomes);
  const asked: string[] = [];
  const proxy = createProxy();
  proxy.on('connect', ({ url = '' }, socket) => {
    asked.push(url);
    const upstream = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const one of [socket, upstream]) one.on('error', () => upstream.destroy());
  });
  expect(await post({ WEBHOOK_PROXY: `http://127.0.0.1:${await listen(proxy)}` }, ...urls)).toEqual(outcomes);
  expect(asked).toEqual(urls.map((url) => new URL(url).host));
});
