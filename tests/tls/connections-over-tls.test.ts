import { PassThrough } from 'node:stream';
import { ConfigError, connectRedis, createLogger, migrate } from '@billing/platform';
import { createDatabase } from '@billing/store';
import { freePort, startPostgres, startTestRedis, waitFor } from '@billing/testing';
import type { PostgresServer, TestRedis } from '@billing/testing';
import { readConfig, startWorker } from '@billing/worker';
import { Client } from 'pg';
import { startCommerce } from '../../apps/api/src/testing/start-commerce.test-support.ts';
import { createCertificateFolder } from './certificates.test-support.ts';
import type { Authority, Certificate, CertificateFolder } from './certificates.test-support.ts';

const logger = createLogger({
  service: 'test',
  level: 'error',
  format: 'json',
  destination: new PassThrough().resume(),
});

let folder: CertificateFolder;
let authority: Authority;
let stranger: Authority;
/** Postgres's is for the address, Redis's for the name: each is wrong for the other. */
let servers: { postgres: Certificate; redis: Certificate };
let client: Certificate;
let postgres: PostgresServer;
let redis: TestRedis;
let redisPort: number;

beforeAll(async () => {
  folder = createCertificateFolder();
  authority = folder.createAuthority('ours');
  stranger = folder.createAuthority('strangers');
  servers = {
    postgres: authority.sign('postgres', 'IP:127.0.0.1'),
    redis: authority.sign('redis', 'DNS:localhost'),
  };
  client = authority.sign('billing');
  redisPort = await freePort();
  [postgres, redis] = await Promise.all([
    startPostgres({
      isVolatile: true,
      settings: {
        ssl: 'on',
        ssl_ca_file: authority.ca,
        ssl_cert_file: servers.postgres.cert,
        ssl_key_file: servers.postgres.key,
        // `billing` logs in by nothing but a certificate of our authority with its name.
        hba_file: folder.file(
          'pg_hba.conf',
          'host all postgres 127.0.0.1/32 trust\nhostssl all billing 127.0.0.1/32 cert\n',
        ),
      },
    }),
    startTestRedis({
      settings: [
        '--tls-port',
        String(redisPort),
        '--tls-auth-clients',
        'yes',
        '--tls-ca-cert-file',
        authority.ca,
        '--tls-cert-file',
        servers.redis.cert,
        '--tls-key-file',
        servers.redis.key,
      ],
    }),
  ]);
  const admin = new Client({ connectionString: postgres.url });
  await admin.connect();
  await admin.query('CREATE ROLE billing LOGIN');
  await admin.query('CREATE DATABASE billing OWNER billing');
  await admin.end();
}, 60_000);
afterAll(async () => {
  await Promise.all([postgres?.stop(), redis?.stop()]);
  folder?.remove();
});

type Parameters = { host?: string; ca?: string | null; certificate?: Certificate | null; sslmode?: string };

function withFiles(base: string, { ca = authority.ca, certificate = client, sslmode }: Parameters): string {
  const parameters = new URLSearchParams();
  if (sslmode !== undefined) parameters.set('sslmode', sslmode);
  if (ca !== null) parameters.set('sslrootcert', ca);
  if (certificate !== null) {
    parameters.set('sslcert', certificate.cert);
    parameters.set('sslkey', certificate.key);
  }
  return `${base}?${parameters.toString()}`;
}
const databaseUrl = (parameters: Parameters = {}): string =>
  withFiles(`postgresql://billing@${parameters.host ?? '127.0.0.1'}:${postgres.port}/billing`, parameters);
const redisUrl = (parameters: Parameters = {}): string =>
  withFiles(`rediss://${parameters.host ?? 'localhost'}:${redisPort}`, parameters);

/** Whether the connection is encrypted; throws where there is none. */
async function askDatabase(url: string): Promise<unknown> {
  const database = createDatabase({ url, poolSize: 1, connectTimeoutMs: 5_000, statementTimeoutMs: 5_000 });
  try {
    const [row] = await database.$queryRaw<
      { ssl: boolean }[]
    >`SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_backend_pid()`;
    return row?.ssl;
  } finally {
    await database.$disconnect();
  }
}

/** Resolves with the answer or the error of the first connection. */
async function askRedis(url: string): Promise<string> {
  const connection = connectRedis({ url, role: 'worker', logger });
  const failed = new Promise<string>((resolve) =>
    connection.once('error', (error: Error) => resolve(error.message)),
  );
  try {
    return await Promise.race([connection.ping().catch(String), failed]);
  } finally {
    connection.disconnect();
  }
}

describe('DATABASE_URL', () => {
  it.each(['verify-full', 'verify-ca', 'require', undefined])(
    'with our authority, our certificate and sslmode=%s is encrypted',
    async (sslmode) => {
      expect(await askDatabase(databaseUrl(sslmode === undefined ? {} : { sslmode }))).toBe(true);
    },
  );

  it.each<[string, () => Parameters, RegExp]>([
    ['the certificate of a stranger', () => ({ certificate: stranger.sign('billing') }), /./],
    [
      'the certificate of another name',
      () => ({ certificate: authority.sign('somebody') }),
      /certificate|denied|credentials/i,
    ],
    ['no certificate', () => ({ certificate: null }), /certificate|denied|credentials/i],
    ["a stranger's authority", () => ({ ca: stranger.ca, sslmode: 'require' }), /certificate/],
    ['no authority', () => ({ ca: null, sslmode: 'verify-full' }), /certificate/],
    ['a name that is not in the certificate', () => ({ host: 'localhost', sslmode: 'require' }), /altnames/],
    ['sslmode=disable', () => ({ sslmode: 'disable' }), /pg_hba\.conf|denied/],
  ])('with %s there is no connection', async (_what, parameters, reason) => {
    await expect(askDatabase(databaseUrl(parameters()))).rejects.toThrow(reason);
  });

  it('sslmode=no-verify takes any certificate of the server', async () => {
    const url = databaseUrl({ host: 'localhost', ca: stranger.ca, sslmode: 'no-verify' });
    expect(await askDatabase(url)).toBe(true);
  });
});

describe('REDIS_URL', () => {
  it('with our authority and our certificate is answered', async () => {
    expect(await askRedis(redisUrl())).toBe('PONG');
  });

  it.each<[string, () => Parameters]>([
    ['the certificate of a stranger', () => ({ certificate: stranger.sign('billing') })],
    ['no certificate', () => ({ certificate: null })],
    ["a stranger's authority", () => ({ ca: stranger.ca })],
    ['no authority', () => ({ ca: null })],
    ['an address that is not in the certificate', () => ({ host: '127.0.0.1' })],
  ])('with %s there is no connection', async (_what, parameters) => {
    expect(await askRedis(redisUrl(parameters()))).not.toBe('PONG');
  });
});

test('migrations, API and worker run on nothing but such connections', async () => {
  const url = databaseUrl({ sslmode: 'verify-full' });
  const { applied } = await migrate({ databaseUrl: url });
  expect(applied.length).toBeGreaterThan(0);
  const env = { DATABASE_URL: url, REDIS_URL: redisUrl(), CACHE_REDIS_URL: redisUrl() };
  const commerce = await startCommerce(env);
  const worker = await startWorker({
    config: readConfig({
      ...env,
      NODE_ENV: 'test',
      WORKER_PORT: '0',
      STRIPE_SECRET_KEY: 'sk_test_tls',
      STRIPE_API_BASE: commerce.stripeUrl,
    }),
    logger,
    host: '127.0.0.1',
  });
  try {
    await commerce
      .http()
      .get('/ready')
      .expect(200, /"ready"/);
    expect((await fetch(`http://127.0.0.1:${worker.port}/ready`)).status).toBe(200);
    const { body } = await commerce.admin('post', '/reconcile', { dry_run: true }).expect(202);
    await waitFor(
      async () => (await commerce.admin('get', `/reconcile/${body.run_id}`)).body.status === 'done',
      { what: 'the run' },
    );
  } finally {
    await worker.stop();
    await commerce.close();
  }
}, 60_000);

describe('files that can not be used end the start, by name', () => {
  const start = (env: Record<string, string>) =>
    readConfig({
      DATABASE_URL: 'postgresql://billing@127.0.0.1/billing',
      REDIS_URL: 'redis://127.0.0.1',
      STRIPE_SECRET_KEY: 'sk_test_tls',
      ...env,
    });

  it.each<[expected: string, parameters: () => Parameters]>([
    ['sslrootcert to name a file that can be read', () => ({ ca: folder.file('gone.crt') })],
    ['sslcert to name a file', () => ({ certificate: { ...client, cert: folder.file('gone.crt') } })],
    ['sslkey to name a file', () => ({ certificate: { ...client, key: folder.file('gone.key') } })],
    ['sslrootcert to name certificates', () => ({ ca: folder.file('text.crt', 'no certificate') })],
    [
      'sslkey to name the private key of sslcert',
      () => ({ certificate: { ...client, key: servers.redis.key } }),
    ],
    ['sslkey to name a private key', () => ({ certificate: { ...client, key: client.cert } })],
  ])('%s', (expected, parameters) => {
    const urls = { DATABASE_URL: databaseUrl(parameters()), REDIS_URL: redisUrl(parameters()) };
    for (const [name, value] of Object.entries(urls)) {
      const attempt = () => start({ [name]: value });
      expect(attempt).toThrow(ConfigError);
      expect(attempt).toThrow(`${name}: expected ${expected}`);
      expect(attempt).not.toThrow(/billing-tls-/);
    }
  });

  it('a certificate without its key does too', () => {
    const url = `${redisUrl({ certificate: null })}&sslcert=${client.cert}`;
    expect(() => start({ REDIS_URL: url })).toThrow('REDIS_URL: expected sslcert and sslkey together');
  });

  it('files of a connection that is not encrypted have no effect: in production they are refused', () => {
    const plain = redisUrl().replace('rediss:', 'redis:');
    const env = {
      NODE_ENV: 'production',
      DATABASE_URL: databaseUrl({ sslmode: 'disable' }),
      REDIS_URL: plain,
    };
    const without = 'take out its parameters sslrootcert, sslcert, sslkey, which have no effect';
    for (const name of ['DATABASE_URL', 'REDIS_URL']) expect(() => start(env)).toThrow(`${name}: ${without}`);
  });
});
