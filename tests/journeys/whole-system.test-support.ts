import { readConfig, startWorker } from '@billing/worker';
import type { RunningWorker } from '@billing/worker';
import { createLogger } from '@billing/platform';
import { waitFor } from '@billing/testing';
import { PassThrough } from 'node:stream';
import request from 'supertest';
import { startCommerce } from '../../apps/api/src/testing/start-commerce.test-support.ts';
import type { Commerce } from '../../apps/api/src/testing/start-commerce.test-support.ts';
import type { TestApiOptions } from '../../apps/api/src/testing/start-test-api.test-support.ts';
import { testWebhookEnv, testWebhookSecret } from '../../apps/api/src/testing/start-test-api.test-support.ts';

type Answer = {
  entitlements: { feature_code: string; valid_to: string | null; status: string; source: string }[];
  valid_until: string | null;
};

export type WholeSystem = Commerce & {
  /** A control call of the offline Stripe. */
  control: (path: string, body: object) => Promise<void>;
  check: (apiKey: string, userId: string) => Promise<Answer>;
  /** The codes that a check answers. */
  features: (apiKey: string, userId: string) => Promise<string[]>;
  /** Waits until the user's features are exactly these. */
  awaitFeatures: (apiKey: string, userId: string, expected: string[]) => Promise<unknown>;
  pay: (sessionId: string, body?: object) => Promise<void>;
  worker: RunningWorker;
  /** What the worker logged. */
  workerLogs: string[];
};

/**
 * API, worker and offline Stripe joined by real webhooks, with a database and a Redis of their own. `clock` is that of
 * API and worker; `env` is of both. Stripe's clock moves by a control call; webhooks are signed in real time all the same.
 */
export async function startWholeSystem(
  env: Record<string, string> = {},
  shared: Pick<TestApiOptions, 'consoleDirectory'> = {},
): Promise<WholeSystem> {
  const commerce = await startCommerce(env, shared);
  const workerLogs: string[] = [];
  const destination = new PassThrough();
  destination.on('data', (chunk: Buffer) => workerLogs.push(chunk.toString()));
  const worker = await startWorker({
    config: readConfig({
      NODE_ENV: 'test',
      WORKER_PORT: '0',
      DATABASE_URL: commerce.database.url,
      DATABASE_POOL_SIZE: '5',
      REDIS_URL: commerce.redis.url,
      STRIPE_SECRET_KEY: 'sk_test_journey',
      STRIPE_API_BASE: commerce.stripeUrl,
      STRIPE_READS_PER_SECOND: '100',
      ...testWebhookEnv,
      ...env,
    }),
    logger: createLogger({
      service: 'worker',
      level: 'debug',
      format: 'json',
      destination,
    }),
    clock: commerce.clock.now,
    host: '127.0.0.1',
    pace: 0.4,
  });
  const control: WholeSystem['control'] = async (path, body) => {
    await request(commerce.stripeUrl).post(`/_offline${path}`).send(body).expect(200);
  };
  await control('/webhooks', { url: `${commerce.url}/api/v1/webhooks/stripe`, secret: testWebhookSecret });

  async function check(apiKey: string, userId: string): Promise<Answer> {
    const { body } = await request(commerce.url)
      .get('/api/v1/entitlements')
      .query({ user_id: userId })
      .set('authorization', `Bearer ${apiKey}`)
      .expect(200);
    return body;
  }

  async function features(apiKey: string, userId: string): Promise<string[]> {
    return (await check(apiKey, userId)).entitlements.map((one) => one.feature_code);
  }

  return {
    ...commerce,
    worker,
    workerLogs,
    control,
    check,
    features,
    awaitFeatures: (apiKey, userId, expected) =>
      waitFor(async () => JSON.stringify(await features(apiKey, userId)) === JSON.stringify(expected), {
        what: `features ${expected.join(', ') || '(none)'}`,
      }),
    pay: (sessionId, body = {}) => control(`/checkout/sessions/${sessionId}/pay`, body),
    close: async () => {
      await worker.stop();
      await commerce.close();
    },
  };
}
