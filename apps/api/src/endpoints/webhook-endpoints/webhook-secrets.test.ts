import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { verifyWebhook } from '@billing/client';
import { testWebhookKey } from '../../testing/start-test-api.test-support.ts';
import { startCommerce } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

type Heard = { headers: IncomingHttpHeaders; body: string };

let api: Commerce;
let projectId: string;
let receiver: Server;
let url: string;
let heard: Heard[];
let answer: { status: number; body: string };

beforeAll(async () => {
  api = await startCommerce();
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      heard.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(answer.status).end(answer.body);
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/billing`;
});
afterAll(async () => {
  receiver.close();
  receiver.closeAllConnections();
  await api.close();
});
beforeEach(async () => {
  heard = [];
  answer = { status: 204, body: '' };
  ({ projectId } = await api.createProject());
});

const endpoints = (rest = ''): string => `/projects/${projectId}/webhook-endpoints${rest}`;
const make = async (fields: object = {}) =>
  (await api.admin('post', endpoints(), { url, ...fields }).expect(201)).body;
const find = async (id: string) => (await api.admin('get', endpoints(`/${id}`)).expect(200)).body;
const actionsOn = async (id: string): Promise<string[]> => {
  const { body } = await api.admin('get', `/audit?target_id=${id}`).expect(200);
  return body.data.map((one: { action: string }) => one.action);
};

describe('a ping', () => {
  test('is signed, outside the types that are wanted, and leaves the endpoint as it is', async () => {
    const { endpoint_id: id, secret } = await make({ event_types: ['catalog.changed'] });
    await api.admin('patch', endpoints(`/${id}`), { is_enabled: false }).expect(200);
    answer = { status: 503, body: 'busy'.repeat(200) };
    const { body } = await api.admin('post', endpoints(`/${id}/ping`)).expect(200);
    expect(body).toEqual({
      message_id: expect.stringMatching(/^msg_/),
      endpoint_id: id,
      at: expect.any(String),
      status: 503,
      duration_ms: expect.any(Number),
      error: null,
      response: 'busy'.repeat(128),
    });
    const [{ headers, body: sent } = { headers: {}, body: '' }] = heard;
    expect([heard.length, headers['webhook-id'], headers['webhook-resend']]).toEqual([
      1,
      body.message_id,
      undefined,
    ]);
    expect(verifyWebhook(sent, headers, secret)).toEqual({
      type: 'webhook.ping',
      timestamp: expect.any(String),
      data: { project_id: projectId, endpoint_id: id },
    });
    expect(await find(id)).toMatchObject({ failing_since: null, last_success_at: null, status: 'disabled' });
    const { message_id: messageId, ...attempt } = body;
    const { body: message } = await api.admin('get', `/webhook-messages/${messageId}`).expect(200);
    expect(message).toEqual({
      message_id: messageId,
      project_id: projectId,
      type: 'webhook.ping',
      created_at: expect.any(String),
      payload: JSON.parse(sent),
      attempts: [attempt],
    });
    expect(await actionsOn(id)).toContain('webhook_endpoint.ping');
  });

  test('of a URL that is no longer allowed, and of one that nobody answers, says so', async () => {
    const { endpoint_id: id } = await make();
    const set = (other: string) =>
      api.deps.database.webhookEndpoint.update({ where: { id }, data: { url: other } });
    await set('https://10.0.0.1/');
    const { body: refused } = await api.admin('post', endpoints(`/${id}/ping`)).expect(200);
    expect(refused).toMatchObject({ status: null, error: 'url_not_allowed', response: null });
    await set('http://127.0.0.1:1/');
    const { body: nobody } = await api.admin('post', endpoints(`/${id}/ping`)).expect(200);
    expect(nobody).toMatchObject({ status: null, error: 'connection_refused' });
  });
});

describe('a rotation', () => {
  const rotate = async (id: string, body: object = {}) =>
    (await api.admin('post', endpoints(`/${id}/rotate-secret`), body).expect(200)).body;
  const verifies = async (id: string, secrets: string[]): Promise<boolean[]> => {
    heard = [];
    await api.admin('post', endpoints(`/${id}/ping`)).expect(200);
    const [{ headers, body } = { headers: {}, body: '' }] = heard;
    return secrets.map((secret) => {
      try {
        verifyWebhook(body, headers, secret);
        return true;
      } catch {
        return false;
      }
    });
  };

  test('until the overlap ends both secrets sign, and of three the newest two', async () => {
    const { endpoint_id: id, secret: first } = await make();
    const before = Date.now();
    const { secret: second, ...rest } = await rotate(id);
    expect(rest).toEqual({ endpoint_id: id });
    const { previous_secret_until: until } = await find(id);
    expect((Date.parse(until) - before) / 3_600_000).toBeCloseTo(24, 1);
    expect(await verifies(id, [first, second])).toEqual([true, true]);
    const { secret: third } = await rotate(id, { overlap_hours: 0.5 });
    expect(await verifies(id, [first, second, third])).toEqual([false, true, true]);
    api.clock.advance(1_810_000);
    expect(await verifies(id, [second])).toEqual([false]);
    api.clock.advance(-1_810_000);
    const { secret: fourth } = await rotate(id, { overlap_hours: 0 });
    expect(await verifies(id, [second, third, fourth])).toEqual([false, false, true]);
    expect(await find(id)).toMatchObject({ previous_secret_until: null });
    expect(new Set([first, second, third, fourth]).size).toBe(4);
    expect(await actionsOn(id)).toContain('webhook_endpoint.rotate_secret');
  });

  test.each([-1, 169, 'x'])('for %p hours is refused', async (overlap) => {
    const { endpoint_id: id } = await make();
    const { body } = await api
      .admin('post', endpoints(`/${id}/rotate-secret`), { overlap_hours: overlap })
      .expect(400);
    expect(body).toMatchObject({ code: 'invalid_request', errors: [{ path: 'overlap_hours' }] });
  });
});

describe('without its key', () => {
  test('no endpoint is made, rotated or tried; with several the first makes, all sign', async () => {
    const { endpoint_id: id, secret } = await make();
    const shared = { database: api.database, redis: api.redis };
    const none = await startCommerce({ WEBHOOK_SECRET_KEY: '' }, shared);
    const another = randomBytes(32).toString('base64');
    const both = await startCommerce({ WEBHOOK_SECRET_KEY: `${another},${testWebhookKey}` }, shared);
    const other = await startCommerce({ WEBHOOK_SECRET_KEY: another }, shared);
    try {
      for (const call of [
        none.admin('post', endpoints(), { url }),
        none.admin('post', endpoints(`/${id}/rotate-secret`), {}),
        none.admin('post', endpoints(`/${id}/ping`)),
        other.admin('post', endpoints(`/${id}/ping`)),
      ])
        expect((await call.expect(503)).body.code).toBe('webhooks_not_configured');
      await none.admin('get', endpoints(`/${id}`)).expect(200);
      await none.admin('patch', endpoints(`/${id}`), { payload: 'thin' }).expect(200);
      await both.admin('post', endpoints(`/${id}/ping`)).expect(200);
      const [{ headers, body } = { headers: {}, body: '' }] = heard;
      expect(verifyWebhook(body, headers, secret)).toMatchObject({ type: 'webhook.ping' });
      await both.admin('post', endpoints(`/${id}/rotate-secret`), { overlap_hours: 0 }).expect(200);
      await other.admin('post', endpoints(`/${id}/ping`)).expect(200);
      await api.admin('post', endpoints(`/${id}/ping`)).expect(503);
    } finally {
      await Promise.all([none.close(), both.close(), other.close()]);
    }
  });
});
