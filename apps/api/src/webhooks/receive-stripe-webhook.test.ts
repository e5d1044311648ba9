import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { waitFor } from '@billing/testing';
import { Stripe } from 'stripe';
import { startTestApi, testWebhookSecret } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

const stripe = new Stripe('sk_test_signing');
const path = '/api/v1/webhooks/stripe';
const rolledSecret = 'whsec_rolled';

type Signing = { secret?: string; timestamp?: number };

const sign = (payload: string, { secret = testWebhookSecret, timestamp }: Signing = {}): string =>
  stripe.webhooks.generateTestHeaderString({
    payload,
    secret,
    ...(timestamp === undefined ? {} : { timestamp }),
  });

const seconds = (): number => Math.floor(Date.now() / 1000);

let serial = 0;
const eventOf = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: `evt_${(serial += 1)}`,
  object: 'event',
  type: 'customer.subscription.updated',
  created: seconds(),
  livemode: false,
  data: { object: { id: 'sub_1', object: 'subscription', customer: 'cus_1', status: 'active' } },
  ...fields,
});

describe('POST /api/v1/webhooks/stripe', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi({ env: { STRIPE_WEBHOOK_SECRET: `${testWebhookSecret},${rolledSecret}` } });
  });
  afterAll(() => api.close());
  beforeEach(() => api.deps.stripeEvents.bull.obliterate({ force: true }));

  const waiting = (): Promise<number> => api.deps.stripeEvents.bull.getWaitingCount();
  const deliver = (payload: string, signature?: string) => {
    const request = api.http().post(path).set('content-type', 'application/json; charset=utf-8');
    return (signature === undefined ? request : request.set('stripe-signature', signature)).send(payload);
  };
  const deliverSigned = (event: unknown, signing?: Signing) => {
    const payload = typeof event === 'string' ? event : JSON.stringify(event);
    return deliver(payload, sign(payload, signing));
  };

  it('enqueues a verified event under its id, with its type as name, projected', async () => {
    const event = eventOf({
      data: { object: { id: 'sub_9', object: 'subscription', receipt_email: 'a@b.c' } },
    });
    const response = await deliverSigned(event);
    expect([response.status, response.body]).toEqual([200, { received: true, event_id: event['id'] }]);
    const job = await api.deps.stripeEvents.bull.getJob(String(event['id']));
    expect(job?.name).toBe('customer.subscription.updated');
    expect(job?.data).toMatchObject({ event: { id: event['id'], data: { object: { id: 'sub_9' } } } });
    expect(job?.data.received_at).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(JSON.stringify(job?.data)).not.toContain('a@b.c');
  });

  it('makes one job of 50 deliveries', async () => {
    const event = eventOf();
    const responses = await Promise.all(Array.from({ length: 50 }, () => deliverSigned(event)));
    expect(responses.every(({ status }) => status === 200)).toBe(true);
    expect(await waiting()).toBe(1);
  });

  it('accepts the secret that is being rolled in, and the edges of the tolerance', async () => {
    expect((await deliverSigned(eventOf(), { secret: rolledSecret })).status).toBe(200);
    expect((await deliverSigned(eventOf(), { timestamp: seconds() - 290 })).status).toBe(200);
    expect((await deliverSigned(eventOf(), { timestamp: seconds() + 290 })).status).toBe(200);
    const payload = JSON.stringify(eventOf());
    const both = `${sign(payload, { secret: 'whsec_other' })},${sign(payload).split(',')[1]}`;
    expect((await deliver(payload, both)).status).toBe(200);
  });

  it.each<[string, (payload: string) => string | undefined]>([
    ['no signature', () => undefined],
    ['an empty signature', () => ''],
    ['nonsense', () => 'nonsense'],
    ['another secret', (payload) => sign(payload, { secret: 'whsec_wrong' })],
    ['another body', () => sign('{}')],
    ['too old', (payload) => sign(payload, { timestamp: seconds() - 310 })],
    ['too far ahead', (payload) => sign(payload, { timestamp: seconds() + 310 })],
    ['two timestamps', (payload) => `t=${seconds()},${sign(payload)}`],
    ['no timestamp', (payload) => sign(payload).split(',')[1] ?? ''],
    ['another scheme', (payload) => sign(payload).replace('v1=', 'v0=')],
  ])('refuses %s without a trace', async (_what, header) => {
    const payload = JSON.stringify(eventOf());
    const response = await deliver(payload, header(payload));
    expect([response.status, response.body.code]).toEqual([401, 'invalid_signature']);
    expect(response.headers['www-authenticate']).toBeUndefined();
    expect(await waiting()).toBe(0);
    expect(await api.deps.database.stripeEvent.count()).toBe(0);
  });

  it('refuses a doubled header, though one of the two is right', async () => {
    const payload = JSON.stringify(eventOf());
    const headers = [sign(payload), sign(payload, { secret: 'whsec_wrong' })];
    for (const order of [headers, headers.toReversed()]) {
      const response = await fetchWithHeaders(api.url + path, payload, order);
      expect(response).toContain(' 401 ');
    }
    expect(await waiting()).toBe(0);
  });

  it.each<[string, unknown]>([
    ['no JSON', 'no json'],
    ['an array', []],
    ['null', 'null'],
    ['nothing', ''],
    ['no id', eventOf({ id: undefined })],
    ['an id of digits', eventOf({ id: '123' })],
    ['an id with a colon', eventOf({ id: 'evt:1' })],
    ['an id that is too long', eventOf({ id: `e${'x'.repeat(255)}` })],
    ['a type that is no string', eventOf({ type: 7 })],
    ['no data', eventOf({ data: undefined })],
    ['an object that is none', eventOf({ data: { object: [] } })],
  ])('answers 400 to a signed body that is no event: %s', async (_what, event) => {
    const response = await deliverSigned(event);
    expect([response.status, response.body.code]).toEqual([400, 'invalid_payload']);
    expect(await waiting()).toBe(0);
  });

  it('answers 200 to unhandled types and to thin events, and enqueues nothing', async () => {
    expect((await deliverSigned(eventOf({ type: 'mandate.updated' }))).status).toBe(200);
    const thin = { object: 'v2.core.event', id: 'evt_thin', type: 'v1.billing.meter.error_report_triggered' };
    const response = await deliverSigned(thin);
    expect([response.status, response.body]).toEqual([200, { received: true, event_id: 'evt_thin' }]);
    expect((await deliverSigned({ object: 'v2.core.event' })).status).toBe(400);
    expect(await waiting()).toBe(0);
  });

  it('answers 413 over 1 MiB and 415 to compressed bodies', async () => {
    const large = await deliver(' '.repeat(1024 * 1024 + 1), 't=1,v1=aa');
    expect([large.status, large.body.code]).toEqual([413, 'payload_too_large']);
    const compressed = await fetch(api.url + path, {
      method: 'POST',
      headers: { 'content-encoding': 'gzip', 'stripe-signature': 't=1,v1=aa' },
      body: gzipSync('{}'),
    });
    expect(compressed.status).toBe(415);
    const whole = JSON.stringify(eventOf());
    const padded = whole + ' '.repeat(1024 * 1024 - whole.length);
    expect((await deliver(padded, sign(padded))).status).toBe(200);
  });

  it('distinguishes wrong clocks from wrong secrets in the metric', async () => {
    api.deps.metrics.webhookSignatureFailures.reset();
    const payload = JSON.stringify(eventOf());
    await deliver(payload);
    await deliverSigned(payload, { timestamp: seconds() - 900 });
    await deliverSigned(payload, { timestamp: seconds() + 900 });
    await deliverSigned(payload, { secret: 'whsec_other' });
    // Any caller can send an old timestamp: without the secret it tells nothing about clocks.
    await deliverSigned(payload, { secret: 'whsec_other', timestamp: seconds() - 900 });
    const { values } = await api.deps.metrics.webhookSignatureFailures.get();
    expect(Object.fromEntries(values.map(({ labels, value }) => [labels.reason, value]))).toEqual({
      header: 1,
      timestamp: 2,
      mismatch: 2,
    });
  });

  it('counts what it received by type and outcome', async () => {
    const event = eventOf({ type: 'invoice.paid' });
    await deliverSigned(event);
    await deliverSigned(event);
    await deliverSigned(eventOf({ type: 'made.up' }));
    const { text } = await api.http().get('/metrics');
    for (const [type, outcome] of [
      ['invoice.paid', 'enqueued'],
      ['invoice.paid', 'duplicate'],
      ['other', 'unhandled'],
      ['unknown', 'rejected'],
    ])
      expect(text).toMatch(
        new RegExp(`webhook_events_received_total\\{type="${type}",outcome="${outcome}"\\} [1-9]`),
      );
    expect(text).not.toContain('made.up');
  });

  it('answers 503 while Redis is away, and goes on when it is back', async () => {
    await waitFor(() => api.deps.readiness.hasBegun(), { what: 'readiness' });
    await api.redis.stop();
    await waitFor(() => !api.deps.stripeEvents.ready(), { what: 'the loss of Redis to be seen' });
    const event = eventOf();
    const away = await deliverSigned(event);
    expect([away.status, away.body.code]).toEqual([503, 'queue_unavailable']);
    expect(Number(away.headers['retry-after'])).toBeGreaterThan(0);
    const isDegraded = async () => (await api.http().get('/ready')).body.status === 'degraded';
    await waitFor(isDegraded, { what: '/ready: degraded' });
    await api.redis.start();
    await waitFor(async () => (await deliverSigned(event)).status === 200, { what: 'the queue' });
    expect(await waiting()).toBe(1);
  });

  it('answers 503 within five seconds while Redis is frozen', async () => {
    api.redis.pause();
    try {
      expect((await deliverSigned(eventOf()).timeout(5_000)).status).toBe(503);
    } finally {
      api.redis.resume();
    }
    await waitFor(async () => (await deliverSigned(eventOf())).status === 200, { what: 'the queue' });
  });
});

/** A raw request: HTTP clients join headers of the same name themselves. */
async function fetchWithHeaders(url: string, body: string, signatures: string[]): Promise<string> {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect(Number(port), hostname);
  const lines = [
    `POST ${pathname} HTTP/1.1`,
    `host: ${hostname}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...signatures.map((signature) => `stripe-signature: ${signature}`),
    '',
    body,
  ];
  socket.write(lines.join('\r\n'));
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
