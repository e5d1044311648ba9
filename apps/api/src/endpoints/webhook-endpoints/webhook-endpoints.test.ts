import { testWebhookKey } from '../../testing/start-test-api.test-support.ts';
import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

/** Where nobody listens: nothing is sent here. */
const url = 'http://127.0.0.1:1/billing';
let api: Commerce;
let projectId: string;

beforeAll(async () => {
  api = await startCommerce();
});
afterAll(() => api.close());
beforeEach(async () => {
  ({ projectId } = await api.createProject());
});

const endpoints = (rest = ''): string => `/projects/${projectId}/webhook-endpoints${rest}`;
const make = async (fields: object = {}) =>
  (await api.admin('post', endpoints(), { url, ...fields }).expect(201)).body;
const find = async (id: string) => (await api.admin('get', endpoints(`/${id}`)).expect(200)).body;
const tells = async (): Promise<boolean> =>
  (await api.deps.database.project.findUniqueOrThrow({ where: { id: projectId } })).tellsChanges;
const actionsOn = async (id: string): Promise<string[]> => {
  const { body } = await api.admin('get', `/audit?target_id=${id}`).expect(200);
  return body.data.map((one: { action: string }) => one.action);
};

describe('an endpoint', () => {
  test('is made with its secret, which nothing shows again', async () => {
    const { secret, ...made } = await make();
    expect(made).toEqual({
      endpoint_id: expect.stringMatching(/^whe_/),
      project_id: projectId,
      url,
      event_types: ['*'],
      payload: 'full',
      delivery: 'latest',
      description: null,
      status: 'enabled',
      disabled_reason: null,
      last_success_at: null,
      failing_since: null,
      previous_secret_until: null,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(await find(made.endpoint_id)).toEqual(made);
    const { body: list } = await api.admin('get', endpoints()).expect(200);
    expect(list).toEqual({ data: [made], next_cursor: null });
    const rows = await api.deps.database.$queryRaw<{ row: string }[]>`
      SELECT e::text AS row FROM public.webhook_endpoints e`;
    expect(rows.length).toBeGreaterThan(0);
    for (const text of [JSON.stringify(rows), api.logs.join(''), JSON.stringify(list)]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(testWebhookKey);
    }
    expect(await actionsOn(made.endpoint_id)).toEqual(['webhook_endpoint.create']);
  });

  test('the same URL may be there twice, each with a secret of its own', async () => {
    const [one, other] = [await make(), await make()];
    expect(one.secret).not.toBe(other.secret);
    const { body: first } = await api.admin('get', endpoints('?limit=1')).expect(200);
    const { body: rest } = await api.admin('get', endpoints(`?cursor=${first.next_cursor}`)).expect(200);
    expect([...first.data, ...rest.data].map((each) => each.endpoint_id)).toEqual([
      one.endpoint_id,
      other.endpoint_id,
    ]);
  });

  test('the eleventh is refused, at once or one after the other, until one is deleted', async () => {
    const all = await Promise.all(Array.from({ length: 14 }, () => api.admin('post', endpoints(), { url })));
    expect(all.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
      ...Array.from({ length: 10 }, () => 201),
      ...Array.from({ length: 4 }, () => 409),
    ]);
    const refused = await api.admin('post', endpoints(), { url }).expect(409);
    expect(refused.body.code).toBe('too_many_endpoints');
    const [first] = all.filter(({ status }) => status === 201);
    await api.admin('delete', endpoints(`/${first?.body.endpoint_id}`)).expect(204);
    await api.admin('post', endpoints(), { url }).expect(201);
  });

  test('is changed in every field', async () => {
    const { endpoint_id: id } = await make({ description: 'Mails' });
    const fields = {
      url: `${url}/other`,
      event_types: ['catalog.changed', 'usage.limit_reached'],
      payload: 'thin',
      delivery: 'every',
      description: null,
    };
    const { body } = await api
      .admin('patch', endpoints(`/${id}`), {
        ...fields,
        event_types: [...fields.event_types, 'catalog.changed'],
      })
      .expect(200);
    expect(body).toMatchObject(fields);
    expect(await find(id)).toEqual(body);
    expect((await api.admin('patch', endpoints(`/${id}`), {}).expect(200)).body).toMatchObject(fields);
    expect(await actionsOn(id)).toContain('webhook_endpoint.update');
  });

  test('is deleted for good', async () => {
    const { endpoint_id: id } = await make();
    await api.admin('delete', endpoints(`/${id}`)).expect(204);
    const calls = [
      api.admin('get', endpoints(`/${id}`)),
      api.admin('patch', endpoints(`/${id}`), { payload: 'thin' }),
      api.admin('delete', endpoints(`/${id}`)),
      api.admin('get', endpoints(`/${id}/deliveries`)),
      api.admin('post', endpoints(`/${id}/ping`)),
      api.admin('post', endpoints(`/${id}/rotate-secret`), {}),
      api.admin('post', endpoints(`/${id}/backfill`)),
    ];
    for (const call of calls) expect((await call.expect(404)).body.code).toBe('webhook_endpoint_not_found');
    expect((await api.admin('get', endpoints()).expect(200)).body.data).toEqual([]);
    expect(await actionsOn(id)).toEqual(['webhook_endpoint.delete', 'webhook_endpoint.create']);
  });

  test('of another project is not found', async () => {
    const { endpoint_id: id } = await make();
    const other = (await api.createProject()).projectId;
    const { body } = await api.admin('get', `/projects/${other}/webhook-endpoints/${id}`).expect(404);
    expect(body.code).toBe('webhook_endpoint_not_found');
    for (const path of ['', '/whe_none']) {
      const { body: unknown } = await api.admin(
        'get',
        `/projects/${uniqueId('none')}/webhook-endpoints${path}`,
      );
      expect(unknown.code).toBe(path === '' ? 'project_not_found' : 'webhook_endpoint_not_found');
    }
    await api.admin('post', `/projects/${uniqueId('none')}/webhook-endpoints`, { url }).expect(404);
  });

  test('is neither tried nor told everything by who asks for a dry run, which such calls do not take', async () => {
    const { endpoint_id: id } = await make();
    for (const call of ['ping', 'backfill']) {
      const refused = await api.admin('post', endpoints(`/${id}/${call}`), { dry_run: true }).expect(400);
      expect(refused.body).toMatchObject({ code: 'invalid_request', errors: [{ path: 'dry_run' }] });
    }
    expect(await actionsOn(id)).toEqual(['webhook_endpoint.create']);
    await api.admin('post', endpoints(`/${id}/ping`), {}).expect(200);
    await api.admin('post', endpoints(`/${id}/backfill`), {}).expect(202);
  });

  test('a dry run makes and changes nothing', async () => {
    const tried = await api.admin('post', endpoints(), { url, dry_run: true }).expect(200);
    expect(tried.body).toMatchObject({ affected_users: 0 });
    expect(tried.body.changes).toContainEqual({ path: 'url', before: null, after: url });
    expect([await api.deps.database.webhookEndpoint.count({ where: { projectId } }), await tells()]).toEqual([
      0,
      false,
    ]);
    const { endpoint_id: id } = await make();
    const patch = { is_enabled: false, dry_run: true };
    const disabled = await api.admin('patch', endpoints(`/${id}`), patch).expect(200);
    expect(disabled.body.changes).toEqual([{ path: 'is_enabled', before: true, after: false }]);
    await api.admin('post', endpoints(`/${id}/rotate-secret`), { dry_run: true }).expect(200);
    await api.admin('delete', endpoints(`/${id}?dry_run=true`)).expect(200);
    expect(await find(id)).toMatchObject({ status: 'enabled', previous_secret_until: null });
    expect(await actionsOn(id)).toEqual(['webhook_endpoint.create']);
  });
});

describe('is refused', () => {
  test.each([
    ['no URL', {}, 'url'],
    ['an empty list of types', { url: 'https://a.example', event_types: [] }, 'event_types'],
    ['an unknown type', { url: 'https://a.example', event_types: ['invoice.paid'] }, 'event_types.0'],
    ['a ping as a type', { url: 'https://a.example', event_types: ['webhook.ping'] }, 'event_types.0'],
    ['an unknown form', { url: 'https://a.example', payload: 'fat' }, 'payload'],
    ['an unknown delivery', { url: 'https://a.example', delivery: 'once' }, 'delivery'],
    ['a URL of 2,049 characters', { url: `https://a.example/${'x'.repeat(2_031)}` }, 'url'],
    ['a URL with a space', { url: 'https://a.example/a b' }, 'url'],
  ])('%s', async (_what, body, path) => {
    const refused = await api.admin('post', endpoints(), body).expect(400);
    expect(refused.body).toMatchObject({ code: 'invalid_request', errors: [{ path }] });
  });

  const addresses = [
    'ftp://a.example/',
    'a.example',
    'https://user:password@a.example/',
    'http://10.0.0.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://[::ffff:10.0.0.1]/',
    'https://0x0a000001/',
    'https://[fd00:ec2::254]/',
    'https://no-such-host.invalid/',
  ];
  test.each(addresses)('the address %s', async (address) => {
    const refused = await api.admin('post', endpoints(), { url: address }).expect(400);
    expect(refused.body.code).toBe('url_not_allowed');
    const { endpoint_id: id } = await make();
    const changed = await api.admin('patch', endpoints(`/${id}`), { url: address }).expect(400);
    expect(changed.body.code).toBe('url_not_allowed');
    expect(await find(id)).toMatchObject({ url });
  });
});

describe('while it is disabled', () => {
  test('the project tells nothing: its first enabled endpoint begins that, its last one ends it', async () => {
    expect(await tells()).toBe(false);
    const [one, other] = [await make(), await make()];
    expect(await tells()).toBe(true);
    await api.admin('patch', endpoints(`/${one.endpoint_id}`), { is_enabled: false }).expect(200);
    expect(await tells()).toBe(true);
    await api.admin('delete', endpoints(`/${other.endpoint_id}`)).expect(204);
    expect(await tells()).toBe(false);
    await api.admin('patch', endpoints(`/${one.endpoint_id}`), { is_enabled: true }).expect(200);
    expect(await tells()).toBe(true);
    await api.admin('patch', `/projects/${projectId}`, { is_active: false }).expect(200);
    expect(await tells()).toBe(false);
    await make();
    expect(await tells()).toBe(false);
    await api.admin('patch', `/projects/${projectId}`, { is_active: true }).expect(200);
    expect(await tells()).toBe(true);
  });

  test('says why; being enabled forgets that, and since when it failed', async () => {
    const { endpoint_id: id } = await make();
    await api.admin('patch', endpoints(`/${id}`), { is_enabled: false }).expect(200);
    expect(await find(id)).toMatchObject({ status: 'disabled', disabled_reason: 'by_operator' });
    await api.deps.database.webhookEndpoint.update({
      where: { id },
      data: { disabledReason: 'failing', failingSince: new Date() },
    });
    expect(await find(id)).toMatchObject({ disabled_reason: 'failing', failing_since: expect.any(String) });
    await api.admin('patch', endpoints(`/${id}`), { is_enabled: false }).expect(200);
    expect(await find(id)).toMatchObject({ disabled_reason: 'failing' });
    const { body } = await api.admin('patch', endpoints(`/${id}`), { is_enabled: true }).expect(200);
    expect(body).toMatchObject({ status: 'enabled', disabled_reason: null, failing_since: null });
  });
});

describe('a backfill', () => {
  test('is a run; one at a time for each endpoint', async () => {
    const [one, other] = [await make(), await make()];
    const start = (id: string) => api.admin('post', endpoints(`/${id}/backfill`));
    const { body } = await start(one.endpoint_id).expect(202);
    const { body: run } = await api.admin('get', `/runs/${body.run_id}`).expect(200);
    expect(run).toMatchObject({ kind: 'backfill', status: 'running', project_id: projectId });
    expect((await start(one.endpoint_id).expect(409)).body.code).toBe('backfill_running');
    await start(other.endpoint_id).expect(202);
    await api.admin('patch', endpoints(`/${one.endpoint_id}`), { is_enabled: false }).expect(200);
    expect((await start(one.endpoint_id).expect(409)).body.code).toBe('endpoint_disabled');
    expect((await api.admin('get', `/runs/${body.run_id}`)).body.status).toBe('failed');
    await api.admin('patch', `/projects/${projectId}`, { is_active: false }).expect(200);
    expect((await start(other.endpoint_id).expect(409)).body.code).toBe('endpoint_disabled');
    expect(await actionsOn(other.endpoint_id)).toContain('webhook_endpoint.backfill');
  });
});
