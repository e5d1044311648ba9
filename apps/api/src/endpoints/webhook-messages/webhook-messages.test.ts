import { webhookDeliveryStatuses } from '@billing/domain';
import { seedWebhookMessages } from '../../openapi/testing/seed-records.test-support.ts';
import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';
import { testAdmin } from '../../testing/start-test-api.test-support.ts';

const url = 'http://127.0.0.1:1/';
const limited = { own: uniqueId('limited'), secret: uniqueId('secret-of-one') };
let api: Commerce;
let projectId: string;
let endpointId: string;
let userId: string;
let messageIds: string[];

beforeAll(async () => {
  const names = `${testAdmin.name}:${testAdmin.secret},one/operator/${limited.own}:${limited.secret}`;
  api = await startCommerce({ ADMIN_API_KEY: names });
  await api.createProject(limited.own);
});
afterAll(() => api.close());

const makeEndpoint = async (): Promise<string> =>
  (await api.admin('post', `/projects/${projectId}/webhook-endpoints`, { url }).expect(201)).body.endpoint_id;

beforeEach(async () => {
  ({ projectId } = await api.createProject());
  userId = uniqueId('user');
  endpointId = await makeEndpoint();
  messageIds = await seedWebhookMessages(api.deps.database, { projectId, userId, endpointId });
});

const deliveries = async (query = '') =>
  (
    await api
      .admin('get', `/projects/${projectId}/webhook-endpoints/${endpointId}/deliveries${query}`)
      .expect(200)
  ).body;
const resend = (messageId: string | undefined, body: object = {}) =>
  api.admin('post', `/webhook-messages/${messageId}/resend`, body);
const waiting = () =>
  api.deps.database.webhookDelivery.findMany({
    where: { projectId, resend: { gt: 0 } },
    orderBy: { id: 'asc' },
  });

describe('deliveries', () => {
  test('are listed newest first, in pages', async () => {
    const { data } = await deliveries();
    expect(data.map((one: { message_id: string }) => one.message_id)).toEqual(messageIds.toReversed());
    expect(data.at(-1)).toEqual({
      delivery_id: expect.stringMatching(/^\d+$/),
      message_id: messageIds[0],
      type: 'entitlements.changed',
      user_id: userId,
      version: 3,
      status: 'pending',
      attempts: 0,
      next_try_at: expect.any(String),
      created_at: expect.any(String),
    });
    const first = await deliveries('?limit=2');
    const rest = await deliveries(`?limit=3&cursor=${first.next_cursor}`);
    expect([...first.data, ...rest.data]).toEqual(data);
    expect(rest.next_cursor).toBeNull();
  });

  test.each(webhookDeliveryStatuses)('of the status %s alone', async (status) => {
    const { data } = await deliveries(`?status=${status}`);
    expect(data.map((one: { status: string }) => one.status)).toEqual([status]);
  });

  test('of one user, and of one type, alone', async () => {
    const other = uniqueId('user');
    await seedWebhookMessages(api.deps.database, { projectId, userId: other, endpointId });
    expect((await deliveries()).data).toHaveLength(10);
    const { data } = await deliveries(`?user_id=${userId}`);
    expect(data.map((one: { message_id: string }) => one.message_id)).toEqual(messageIds.toReversed());
    expect((await deliveries(`?user_id=${userId}&status=failed`)).data).toHaveLength(1);
    expect((await deliveries('?type=catalog.changed')).data).toEqual([]);
    expect((await deliveries('?type=entitlements.changed')).data).toHaveLength(10);
    expect((await deliveries('?user_id=nobody')).data).toEqual([]);
  });

  test.each(['status=sent', 'type=invoice.paid', 'cursor=x', 'limit=0', 'other=1'])(
    'asked with %s are refused',
    async (query) => {
      const where = `/projects/${projectId}/webhook-endpoints/${endpointId}/deliveries?${query}`;
      expect((await api.admin('get', where)).body).toMatchObject({ status: 400, code: 'invalid_request' });
    },
  );

  test('that wait are discarded when the endpoint is disabled or deleted, or the project switched off', async () => {
    const endings = [
      () =>
        api.admin('patch', `/projects/${projectId}/webhook-endpoints/${endpointId}`, { is_enabled: false }),
      () => api.admin('patch', `/projects/${projectId}`, { is_active: false }),
    ];
    for (const end of endings) {
      endpointId = await makeEndpoint();
      await seedWebhookMessages(api.deps.database, { projectId, userId, endpointId });
      await end().expect(200);
      expect((await deliveries('?status=pending')).data).toEqual([]);
      expect((await deliveries('?status=discarded')).data).toHaveLength(2);
    }
  });
});

describe('a message', () => {
  test('is shown in its full form, with every try', async () => {
    const { body } = await api.admin('get', `/webhook-messages/${messageIds[1]}`).expect(200);
    expect(body).toEqual({
      message_id: messageIds[1],
      project_id: projectId,
      type: 'entitlements.changed',
      created_at: expect.any(String),
      payload: expect.objectContaining({
        type: 'entitlements.changed',
        data: expect.objectContaining({ user_id: userId, entitlements: [], causes: ['backfill'] }),
      }),
      attempts: [
        {
          endpoint_id: endpointId,
          at: expect.any(String),
          status: null,
          duration_ms: 12,
          error: 'timeout',
          response: null,
        },
        expect.objectContaining({ status: 200, error: null, response: 'ok' }),
      ],
    });
  });

  test('that nobody sent, or of a project that the name may not see, is not found', async () => {
    const found = await api.admin('get', '/webhook-messages/msg_none').expect(404);
    expect(found.body.code).toBe('webhook_message_not_found');
    for (const [method, path] of [
      ['get', `/webhook-messages/${messageIds[0]}`],
      ['post', `/webhook-messages/${messageIds[0]}/resend`],
    ] as const) {
      const agent = api.http();
      const call = agent[method](`/api/v1/admin${path}`).set('authorization', `Bearer ${limited.secret}`);
      expect((await (method === 'get' ? call : call.send({}))).body.code).toBe('webhook_message_not_found');
    }
    expect(await waiting()).toEqual([]);
  });
});

describe('resending', () => {
  test('goes to the endpoints that it was made for, once more for each call', async () => {
    await makeEndpoint();
    const { body } = await resend(messageIds[2]).expect(202);
    expect(body).toEqual({ message_id: messageIds[2], endpoints: 1 });
    await resend(messageIds[2]).expect(202);
    expect(await waiting()).toMatchObject([
      { messageId: messageIds[2], endpointId, status: 'pending', resend: 1 },
      { messageId: messageIds[2], endpointId, status: 'pending', resend: 2 },
    ]);
    // They are tries of the message, no deliveries of their own.
    expect((await deliveries()).data).toHaveLength(5);
    const { body: audit } = await api.admin('get', `/audit?target_id=${messageIds[2]}`).expect(200);
    expect(audit.data.map((one: { action: string }) => one.action)).toEqual([
      'webhook_message.resend',
      'webhook_message.resend',
    ]);
  });

  test('to one endpoint, also one that did not hear it', async () => {
    const later = await makeEndpoint();
    expect((await resend(messageIds[0], { endpoint_id: later }).expect(202)).body.endpoints).toBe(1);
    expect(await waiting()).toMatchObject([{ endpointId: later, status: 'pending' }]);
  });

  test('leaves out endpoints that are disabled, and refuses one that is named', async () => {
    await api
      .admin('patch', `/projects/${projectId}/webhook-endpoints/${endpointId}`, { is_enabled: false })
      .expect(200);
    expect((await resend(messageIds[1]).expect(202)).body.endpoints).toBe(0);
    const refused = await resend(messageIds[1], { endpoint_id: endpointId }).expect(409);
    expect(refused.body.code).toBe('endpoint_disabled');
    const unknown = await resend(messageIds[1], { endpoint_id: 'whe_none' }).expect(404);
    expect(unknown.body.code).toBe('webhook_endpoint_not_found');
    expect((await resend('msg_none').expect(404)).body.code).toBe('webhook_message_not_found');
    expect(await waiting()).toEqual([]);
  });
});
