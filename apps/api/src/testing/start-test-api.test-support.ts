import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { apiKeyPrefix, apiKeyRandomBytes, formatApiKey } from '@billing/domain';
import { createLogger } from '@billing/platform';
import { createTestDatabase, createTestProxy, startTestRedis, waitFor } from '@billing/testing';
import type { ProxyMode, TestDatabase, TestRedis } from '@billing/testing';
import request from 'supertest';
import { createApp, createMeter, createOperationsApp } from '../app.ts';
import { startPublishing, startReaching } from '../background.ts';
import { buildDeps } from '../build-deps.ts';
import { readConfig } from '../config.ts';
import { closeGracefully, createApiServer } from '../http/api-server.ts';

export const testAdmin = { name: 'tester', secret: `admin-${randomBytes(16).toString('hex')}` } as const;
export const testErasureKey = randomBytes(32).toString('base64');
export const testWebhookKey = randomBytes(32).toString('base64');
/** Of API and worker: webhooks may go to this machine. */
export const testWebhookEnv = {
  WEBHOOK_SECRET_KEY: testWebhookKey,
  WEBHOOK_ALLOW_HTTP: 'true',
  WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
};
export const testWebhookSecret = `whsec_${randomBytes(16).toString('hex')}`;

/** A build of the console, as small as one can be. */
const consoleFixture = fileURLToPath(new URL('console-fixture', import.meta.url));

export type TestApiOptions = {
  /** Added to (or in place of) the test's environment. */
  env?: Record<string, string>;
  /** Given for a second process on the same state; the caller ends them. */
  database?: TestDatabase;
  redis?: TestRedis;
  /** How the proxy in front of Postgres is set at the start; default `pass`. */
  databaseMode?: ProxyMode;
  /** Default: a build as small as one can be. */
  consoleDirectory?: string;
  /** Default true: waits until cache and queue are connected. */
  awaitRedis?: boolean;
};

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

/** A clock that follows real time plus an offset that tests move. */
function createMovableClock() {
  let offsetMs = 0;
  return {
    now: (): number => Date.now() + offsetMs,
    advance(ms: number): void {
      offsetMs += ms;
    },
  };
}

export type TestApi = Awaited<ReturnType<typeof startTestApi>>;

/** The API in this process on a free port, with its own database and Redis; `close()` ends all. */
export async function startTestApi(options: TestApiOptions = {}) {
  const [database, redis] = await Promise.all([
    options.database ?? createTestDatabase(),
    options.redis ?? startTestRedis(),
  ]);
  // Costs little, and any test can take Postgres away.
  const databaseProxy = await createTestProxy({ port: Number(new URL(database.url).port) });
  await databaseProxy.setMode(options.databaseMode ?? 'pass');
  const read = readConfig({
    NODE_ENV: 'test',
    PORT: '0',
    DATABASE_URL: databaseProxy.urlFor(database.url),
    DATABASE_POOL_SIZE: '5',
    REDIS_URL: redis.url,
    STRIPE_SECRET_KEY: 'sk_test_api',
    STRIPE_API_BASE: 'http://127.0.0.1:9',
    STRIPE_WEBHOOK_SECRET: testWebhookSecret,
    ADMIN_API_KEY: `${testAdmin.name}:${testAdmin.secret}`,
    ERASURE_KEY: testErasureKey,
    ...testWebhookEnv,
    ...options.env,
  });
  const config = {
    ...read,
    console: { ...read.console, directory: options.consoleDirectory ?? consoleFixture },
  };
  const clock = createMovableClock();
  const logs: string[] = [];
  const destination = new PassThrough();
  destination.on('data', (chunk: Buffer) => logs.push(chunk.toString()));
  const logger = createLogger({ service: 'api', level: 'info', format: 'json', destination });
  const { deps, beginStop, close } = buildDeps(config, {
    clock: clock.now,
    logger,
    withProcessMetrics: false,
  });
  const meter = createMeter(deps);
  const { app, listener } = createApp(deps, meter);
  const server = createApiServer(app, config.corsOrigins, listener);
  const operations =
    config.operationsPort === undefined ? null : createApiServer(createOperationsApp(deps, meter));
  const loops = [startPublishing(deps), startReaching(deps)];
  const url = await listen(server);
  const operationsUrl = operations === null ? url : await listen(operations);
  if (options.awaitRedis !== false)
    await waitFor(
      () =>
        deps.stripeEvents.ready() &&
        // Without Postgres nobody can agree on the servers of the cache.
        (options.databaseMode === undefined ? deps.cache.enabledShare() === 1 : deps.cache.isAvailable()),
      { what: 'Redis' },
    );

  /** A key of a project, straight in the database. */
  async function createApiKey(projectId: string, columns: { expiresAt?: Date; scopes?: string[] } = {}) {
    const apiKey = formatApiKey(randomBytes(apiKeyRandomBytes));
    const digest = createHash('sha256').update(apiKey).digest();
    const id = `key_${randomBytes(6).toString('hex')}`;
    await deps.database.apiKey.create({
      data: { id, projectId, prefix: apiKeyPrefix(apiKey), digest, ...columns },
    });
    return { keyId: id, apiKey };
  }

  return {
    url,
    /** Where `/metrics` is: the same, unless `OPERATIONS_PORT` is set. */
    operationsUrl,
    deps,
    clock,
    database,
    databaseProxy,
    redis,
    logs,
    createApiKey,
    /** A supertest agent on this API. */
    http: () => request(url),
    /** A project with one API key. */
    async createProject(projectId = `project_${randomBytes(6).toString('hex')}`) {
      await deps.database.project.create({ data: { id: projectId, name: projectId } });
      return { projectId, ...(await createApiKey(projectId)) };
    },
    /** Ends the API, and the database and the Redis unless they were given. */
    async close(): Promise<void> {
      beginStop();
      await closeGracefully(server, 0);
      if (operations !== null) await closeGracefully(operations, 0);
      await Promise.all(loops.map((loop) => loop.stop()));
      await close();
      await databaseProxy.close();
      if (options.redis === undefined) await redis.stop();
      if (options.database === undefined) await database.drop();
    },
  };
}
