import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { once } from 'node:events';
import { stripeEvent, subscriptionObject, waitFor } from '@billing/testing';
import { startProcesses } from './processes.test-support.ts';
import type { Processes } from './processes.test-support.ts';

/** Each holds the word, so that a part of any of them is found. */
const word = 'sentinel';
const secrets = {
  admin: `${word}-admin-${randomBytes(8).toString('hex')}`,
  webhook: `whsec_${word}${randomBytes(8).toString('hex')}`,
  stripe: `sk_test_${word}Stripe`,
  metrics: `${word}.metrics+token`,
  database: `${word}-db-p@ss`,
  redis: `${word}-redis-pass`,
  email: `${word}.mail@example.com`,
  wrongKey: `proj_${word}${'0'.repeat(30)}`,
  body: `${word}-body`,
};

/** Throws an error that nothing catches, as a defect would, when the process gets SIGUSR2. */
const crash = `data:text/javascript,${encodeURIComponent(
  `process.on('SIGUSR2', () => { throw new Error('crashed with ' + Object.values(process.env).join(' ')) })`,
)}`;

const json = { 'content-type': 'application/json' };
const withKey = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}`, ...json });
const post = (headers: Record<string, string>, body: unknown): RequestInit => ({
  method: 'POST',
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

describe.each(['production', 'development'])(
  'in %s, at the finest level, the output holds no secret',
  (mode) => {
    let processes: Processes;
    let apiKey: string;
    const signatures: string[] = [];
    const output = (): string => processes.api.output() + processes.worker.output();

    beforeAll(async () => {
      processes = await startProcesses({
        databasePassword: secrets.database,
        redisPassword: secrets.redis,
        env: {
          NODE_ENV: mode,
          LOG_LEVEL: 'debug',
          ACCESS_LOG_SAMPLE: '1',
          EVENT_RETRY_HOURS: '0',
          ADMIN_API_KEY: `local:${secrets.admin}`,
          STRIPE_WEBHOOK_SECRET: secrets.webhook,
          STRIPE_SECRET_KEY: secrets.stripe,
          METRICS_TOKEN: secrets.metrics,
          NODE_OPTIONS: `--import=${crash}`,
        },
      });
      await processes.asAdmin('/projects', { project_id: 'shop', name: 'Shop' });
      const made = await processes.asAdmin('/projects/shop/api-keys', { name: 'mine' });
      const answer: { api_key: string } = JSON.parse(await made.text());
      apiKey = answer.api_key;
    }, 300_000);
    afterAll(() => processes?.close());

    function expectNothingLeaked(): void {
      const text = output();
      const keyBody = apiKey.slice(11);
      expect(text).not.toContain(word);
      expect(text).not.toContain(keyBody);
      for (const signature of signatures) expect(text).not.toContain(/v1=(\w+)/.exec(signature)?.[1]);
    }

    async function callEveryRoute(): Promise<void> {
      const { ask, asAdmin } = processes;
      const keys = [apiKey, secrets.wrongKey, secrets.admin];
      for (const key of keys) {
        await ask(`/api/v1/entitlements?user_id=${secrets.email}&api_key=${key}`, { headers: withKey(key) });
        await ask(`/api/v1/entitlements?user_id=u&explain=true`, { headers: withKey(key) });
        await ask('/api/v1/entitlements/batch', post(withKey(key), { user_ids: [secrets.email] }));
        await ask('/api/v1/entitlements/batch', post(withKey(key), `{"user_ids": ["${secrets.body}`));
        const order = { user_id: 'u', email: secrets.email, price_id: secrets.body, mode: 'payment' };
        await ask(
          '/api/v1/checkout/create',
          post(withKey(key), { ...order, metadata: { note: secrets.body } }),
        );
        await ask('/api/v1/portal/create-session', post(withKey(key), { user_id: secrets.email }));
        await ask(`/api/v1/admin/events?object_id=${secrets.body}`, { headers: withKey(key) });
        await ask(`/${key}/${secrets.body}`, { headers: withKey(key) });
        await ask('/metrics', { headers: withKey(key) });
      }
      await ask('/metrics', { headers: withKey(secrets.metrics) });
      await ask('/admin/queues', {
        headers: { authorization: `Basic ${Buffer.from(`local:${secrets.admin}`).toString('base64')}` },
      });
      await asAdmin('/grant', { user_id: 'u', project_id: 'shop', feature_code: 'f', reason: secrets.email });
      await asAdmin('/projects', { project_id: secrets.body, name: secrets.email, unknown: secrets.admin });
      const object = {
        ...subscriptionObject({ metadata: { user_id: 'u', project_id: 'shop', note: secrets.body } }),
        receipt_email: secrets.email,
      };
      const events = [
        stripeEvent({ type: 'customer.subscription.created', object }),
        { ...stripeEvent({ type: 'customer.subscription.updated', object }), type: 'unknown.type' },
        stripeEvent({
          type: 'invoice.paid',
          object: { id: secrets.body.length, customer_email: secrets.email },
        }),
      ];
      for (const body of [...events.map((event) => JSON.stringify(event)), `{"${secrets.body}`]) {
        const signature = processes.sign(body);
        signatures.push(signature);
        await processes.deliver(body, { 'stripe-signature': signature });
        await processes.deliver(`${body} `, { 'stripe-signature': signature });
      }
    }

    async function sendNonsense(): Promise<void> {
      const socket = connect(Number(new URL(processes.urls.api).port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.end(`${secrets.body} ${secrets.admin}\r\nauthorization: Bearer ${apiKey}\r\n\r\n`);
      socket.resume();
      await once(socket, 'close');
    }

    it('when all is well: every route, with right, wrong and malformed requests', async () => {
      await callEveryRoute();
      await sendNonsense();
      await processes.queue.bull.add('by-hand', { [secrets.body]: secrets.email });
      await waitFor(() => processes.worker.output().includes('job_not_understood'), {
        what: 'the job by hand',
        timeoutMs: 30_000,
      });
      await waitFor(() => processes.worker.output().includes('event_processed'), {
        what: 'the events',
        timeoutMs: 30_000,
      });
      expect(processes.api.output()).toContain('request_finished');
      expectNothingLeaked();
    }, 120_000);

    it('when Postgres is away, and then Redis too', async () => {
      await processes.databaseProxy.setMode('refuse');
      await callEveryRoute();
      await processes.redis.kill();
      await callEveryRoute();
      await waitFor(() => processes.api.output().includes('redis_unreachable'), { what: 'the lost Redis' });
      expect(output()).toMatch(/request_refused/);
      expectNothingLeaked();
    }, 120_000);

    it('when a process crashes with all its secrets in the error', async () => {
      // Without them the end of the process would wait for its queue.
      await Promise.all([processes.databaseProxy.setMode('pass'), processes.redis.start()]);
      for (const one of [processes.api, processes.worker]) {
        void one.kill('SIGUSR2');
        await waitFor(() => one.output().includes('uncaught_exception'), {
          what: 'the crash',
          timeoutMs: 30_000,
        });
        await one.exited;
      }
      expectNothingLeaked();
      // Masked, not merely missing: the error was logged.
      expect(output()).toMatch(/crashed with .*\[redacted\]/);
    }, 120_000);
  },
);
