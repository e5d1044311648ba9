import { readConfig, startWorker } from '@billing/worker';
import { createLogger } from '@billing/platform';
import { waitFor } from '@billing/testing';
import { PassThrough } from 'node:stream';
import request from 'supertest';
import { startCommerce } from '../../apps/api/src/testing/start-commerce.test-support.ts';
import type { Commerce } from '../../apps/api/src/testing/start-commerce.test-support.ts';
import { testWebhookSecret } from '../../apps/api/src/testing/start-test-api.test-support.ts';

export type WholeSystem = Awaited<ReturnType<typeof startWholeSystem>>;

type Answer = {
  entitlements: { feature_code: string; valid_to: string | null; status: string; source: string }[];
  valid_until: string | null;
};

/**
 * API, worker and offline Stripe joined by real webhooks, on a Postgres and a Redis of their own. `clock` is
 * ours; Stripe's is moved by its control call, and webhooks are signed in real time whatever it says.
 */
export async function startWholeSystem() {
  const commerce: Commerce = await startCommerce();
  const worker = await startWorker({
    config: readConfig({
      NODE_ENV: 'test',
      WORKER_PORT: '0',
      DATABASE_URL: commerce.database.url,
      DATABASE_POOL_SIZE: '5',
      REDIS_URL: commerce.redis.url,
      STRIPE_SECRET_KEY: 'sk_test_journey',
      STRIPE_API_BASE: commerce.stripeUrl,
    }),
    logger: createLogger({
      service: 'worker',
      level: 'error',
      format: 'json',
      destination: new PassThrough().resume(),
    }),
    clock: commerce.clock.now,
    host: '127.0.0.1',
  });
  const control = async (path: string, body: object): Promise<void> => {
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
    control,
    check,
    features,
    /** Waits until the user's features are exactly these. */
    awaitFeatures: (apiKey: string, userId: string, expected: string[]): Promise<unknown> =>
      waitFor(async () => JSON.stringify(await features(apiKey, userId)) === JSON.stringify(expected), {
        what: `features ${expected.join(', ') || '(none)'}`,
      }),
    pay: (sessionId: string, body: object = {}): Promise<void> =>
      control(`/checkout/sessions/${sessionId}/pay`, body),
    async close(): Promise<void> {
      await worker.stop();
      await commerce.close();
    },
  };
}
