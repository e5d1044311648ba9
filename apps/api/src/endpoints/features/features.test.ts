import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let projectId: string;
beforeAll(async () => {
  commerce = await startCommerce();
  ({ projectId } = await commerce.createProject());
});
afterAll(() => commerce.close());

const features = (code?: string): string =>
  `/projects/${projectId}/features${code === undefined ? '' : `/${code}`}`;
const products = (id?: string): string =>
  `/projects/${projectId}/products${id === undefined ? '' : `/${id}`}`;

async function describeFeature(fields: object): Promise<string> {
  const code = uniqueId('code');
  await commerce.admin('post', features(), { feature_code: code, ...fields }).expect(201);
  return code;
}

async function makeProduct(fields: object): Promise<string> {
  const id = uniqueId('product');
  await commerce.admin('post', products(), { product_id: id, name: 'Pro', ...fields }).expect(201);
  return id;
}

const giveByHand = (fields: object) =>
  commerce.admin('post', '/grant', { user_id: 'u', project_id: projectId, reason: 'test', ...fields });

describe('a feature', () => {
  test('is described, listed, read and changed', async () => {
    const code = uniqueId('calls');
    const made = await commerce
      .admin('post', features(), {
        feature_code: code,
        name: 'API calls',
        kind: 'metered',
        unit: 'call',
        thresholds: [100, 80, 80],
      })
      .expect(201);
    expect(made.body).toEqual({
      project_id: projectId,
      feature_code: code,
      name: 'API calls',
      kind: 'metered',
      unit: 'call',
      counted: false,
      thresholds: [80, 100],
      stripe_meter: null,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    expect((await commerce.admin('get', features(code)).expect(200)).body).toEqual(made.body);
    const { body: list } = await commerce.admin('get', `${features()}?limit=100`).expect(200);
    expect(list.data).toContainEqual(made.body);
    const changed = await commerce
      .admin('patch', features(code), { name: null, unit: 'request', thresholds: [] })
      .expect(200);
    expect(changed.body).toMatchObject({ name: null, unit: 'request', thresholds: [], kind: 'metered' });
    const other = { kind: 'limit', counted: true, thresholds: [90] };
    expect((await commerce.admin('patch', features(code), other).expect(200)).body).toMatchObject(other);
    const { body: audit } = await commerce.admin('get', `/audit?target_id=${code}`).expect(200);
    expect(audit.data.map((one: { action: string }) => one.action)).toEqual([
      'feature.update',
      'feature.update',
      'feature.create',
    ]);
  });

  test('names the meter of Stripe that its usage is reported to, another one, and none', async () => {
    const meter = { event_name: 'calls', report: 'overage' };
    const code = await describeFeature({ kind: 'metered', stripe_meter: meter });
    expect((await commerce.admin('get', features(code)).expect(200)).body).toMatchObject({
      stripe_meter: meter,
    });
    const other = { event_name: 'all_calls', report: 'all' };
    const patched = await commerce.admin('patch', features(code), { stripe_meter: other }).expect(200);
    expect(patched.body).toMatchObject({ stripe_meter: other });
    const kept = await commerce.admin('patch', features(code), { unit: 'call' }).expect(200);
    expect(kept.body).toMatchObject({ stripe_meter: other });
    const none = await commerce.admin('patch', features(code), { stripe_meter: null }).expect(200);
    expect(none.body).toMatchObject({ stripe_meter: null });
  });

  test.each([
    ['of a limit', { kind: 'limit' }, { event_name: 'calls', report: 'all' }, 'stripe_meter'],
    ['without a name', { kind: 'metered' }, { event_name: '', report: 'all' }, 'stripe_meter.event_name'],
    [
      'that is told something else',
      { kind: 'metered' },
      { event_name: 'c', report: 'x' },
      'stripe_meter.report',
    ],
  ])('a meter %s is refused', async (_what, fields, meter, path) => {
    const body = { feature_code: uniqueId('calls'), ...fields, stripe_meter: meter };
    const refused = await commerce.admin('post', features(), body).expect(400);
    expect(refused.body).toMatchObject({ code: 'invalid_request', errors: [{ path }] });
    const code = await describeFeature(fields);
    await commerce.admin('patch', features(code), { stripe_meter: meter }).expect(400);
  });

  test('a code exists once, and one that nobody described is not found', async () => {
    const code = await describeFeature({ kind: 'boolean' });
    const again = await commerce
      .admin('post', features(), { feature_code: code, kind: 'metered' })
      .expect(409);
    expect(again.body.code).toBe('feature_exists');
    for (const method of ['get', 'patch'] as const) {
      const body = method === 'patch' ? { name: 'x' } : undefined;
      const { body: refused } = await commerce.admin(method, features('nobody'), body).expect(404);
      expect(refused.code).toBe('feature_not_found');
    }
  });

  test('12 descriptions of one code at once: one is made', async () => {
    const body = { feature_code: uniqueId('race'), kind: 'limit' };
    const all = await Promise.all(Array.from({ length: 12 }, () => commerce.admin('post', features(), body)));
    expect(all.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(all.filter(({ status }) => status === 409)).toHaveLength(11);
  });

  test.each([
    ['no kind', {}, 'kind'],
    ['an unknown kind', { kind: 'credits' }, 'kind'],
    ['a metered feature with a level', { kind: 'metered', counted: true }, 'counted'],
    ['thresholds of a boolean one', { kind: 'boolean', thresholds: [80] }, 'thresholds'],
    ['thresholds of a limit without a level', { kind: 'limit', thresholds: [80] }, 'thresholds'],
    [
      'eleven thresholds',
      { kind: 'metered', thresholds: Array.from({ length: 11 }, (_, i) => i + 1) },
      'thresholds',
    ],
    ['a threshold of 0', { kind: 'metered', thresholds: [0] }, 'thresholds.0'],
    ['a threshold of 1001', { kind: 'metered', thresholds: [1_001] }, 'thresholds.0'],
    ['half a percent', { kind: 'metered', thresholds: [0.5] }, 'thresholds.0'],
  ])('%s is refused', async (_what, fields, path) => {
    const body = { feature_code: uniqueId('code'), ...fields };
    const refused = await commerce.admin('post', features(), body).expect(400);
    expect(refused.body).toMatchObject({ code: 'invalid_request', errors: [{ path }] });
  });

  test.each([
    ['a level of what is metered', { kind: 'metered' }, { counted: true }, 'counted'],
    [
      'no level any more, with thresholds',
      { kind: 'limit', counted: true },
      { counted: false, thresholds: [80] },
      'thresholds',
    ],
    ['thresholds of a limit without a level', { kind: 'limit' }, { thresholds: [80] }, 'thresholds'],
  ])('a change to %s is refused, and changes nothing', async (_what, fields, patch, path) => {
    const code = await describeFeature(fields);
    const refused = await commerce.admin('patch', features(code), patch).expect(400);
    expect(refused.body).toMatchObject({ code: 'invalid_request', errors: [{ path }] });
    expect((await commerce.admin('get', features(code))).body).toMatchObject(fields);
  });

  const meter = { event_name: 'calls', report: 'all' };
  test.each<[string, object, object, object]>([
    [
      'metered to boolean',
      { kind: 'metered', thresholds: [80], stripe_meter: meter },
      { kind: 'boolean' },
      { counted: false, thresholds: [], stripe_meter: null },
    ],
    [
      'metered to a level',
      { kind: 'metered', thresholds: [80], stripe_meter: meter },
      { kind: 'limit', counted: true },
      { thresholds: [80], stripe_meter: null },
    ],
    [
      'a level to metered',
      { kind: 'limit', counted: true, thresholds: [80] },
      { kind: 'metered' },
      { counted: false, thresholds: [80] },
    ],
    [
      'a level to none',
      { kind: 'limit', counted: true, thresholds: [80] },
      { counted: false },
      { kind: 'limit', thresholds: [] },
    ],
  ])('from %s: what does not go with it any more leaves', async (_what, fields, patch, expected) => {
    const code = await describeFeature(fields);
    const { body } = await commerce.admin('patch', features(code), patch).expect(200);
    expect(body).toMatchObject({ ...patch, ...expected });
    expect((await commerce.admin('get', features(code))).body).toEqual(body);
  });
});

describe('what is used stays what it is', () => {
  const uses: [string, (code: string) => Promise<unknown>][] = [
    ['a product has it', (code) => makeProduct({ feature_codes: [code] })],
    [
      'an archived product has it',
      async (code) => {
        const id = await makeProduct({ feature_codes: [code] });
        await commerce.admin('patch', products(id), { is_archived: true }).expect(200);
      },
    ],
    ['a grant gives it', (code) => giveByHand({ feature_code: code }).expect(201)],
    [
      'a grant will give it',
      (code) => giveByHand({ feature_code: code, valid_from: '2030-01-01T00:00:00Z' }).expect(201),
    ],
  ];

  test.each(uses)('%s: describing it as anything but boolean is 409', async (_what, use) => {
    const code = uniqueId('sold');
    await use(code);
    for (const kind of ['limit', 'metered']) {
      const refused = await commerce.admin('post', features(), { feature_code: code, kind }).expect(409);
      expect(refused.body.code).toBe('feature_in_use');
      await commerce.admin('get', features(code)).expect(404);
    }
    await commerce.admin('post', features(), { feature_code: code, kind: 'boolean' }).expect(201);
    const refused = await commerce.admin('patch', features(code), { kind: 'metered' }).expect(409);
    expect(refused.body.code).toBe('feature_in_use');
    // What it is already, and what is for people.
    await commerce.admin('patch', features(code), { kind: 'boolean', name: 'Export' }).expect(200);
  });

  test('whatever else it has that would not go with another kind', async () => {
    const code = await describeFeature({ kind: 'metered', thresholds: [80, 100] });
    await makeProduct({ features: [{ feature_code: code, allowance: 5, period: 'month' }] });
    for (const patch of [{ kind: 'limit' }, { kind: 'boolean' }, { kind: 'limit', counted: true }]) {
      const refused = await commerce.admin('patch', features(code), patch).expect(409);
      expect(refused.body.code).toBe('feature_in_use');
    }
    await commerce.admin('patch', features(code), { thresholds: [50] }).expect(200);
  });

  test('counted too', async () => {
    const code = await describeFeature({ kind: 'limit', counted: true });
    const id = await makeProduct({ features: [{ feature_code: code, limit: 5 }] });
    const refused = await commerce.admin('patch', features(code), { counted: false }).expect(409);
    expect(refused.body.code).toBe('feature_in_use');
    await commerce.admin('patch', products(id), { features: [] }).expect(200);
    await commerce.admin('patch', features(code), { counted: false }).expect(200);
  });

  test('what no product and no grant has any more can change', async () => {
    const code = uniqueId('code');
    const id = await makeProduct({ feature_codes: [code] });
    const { body } = await giveByHand({ feature_code: code }).expect(201);
    await commerce.admin('patch', products(id), { feature_codes: [] }).expect(200);
    const describeIt = () => commerce.admin('post', features(), { feature_code: code, kind: 'metered' });
    expect((await describeIt()).status).toBe(409);
    await commerce.admin('post', '/revoke', { grant_id: body.grant_id, reason: 'test' }).expect(200);
    expect((await describeIt()).status).toBe(201);
  });

  test('another project describes the same code as it likes', async () => {
    const code = uniqueId('code');
    await makeProduct({ feature_codes: [code] });
    const other = await commerce.createProject();
    const described = { feature_code: code, kind: 'metered' };
    const { body } = await commerce.admin('post', `/projects/${other.projectId}/features`, described);
    expect(body).toMatchObject(described);
  });

  test('a grant and a description at once: never a grant of a metered feature without an amount', async () => {
    for (let round = 0; round < 10; round += 1) {
      const code = uniqueId('race');
      const [described, granted] = await Promise.all([
        commerce.admin('post', features(), { feature_code: code, kind: 'metered' }),
        giveByHand({ feature_code: code, user_id: uniqueId('user') }),
      ]);
      expect([described.status, granted.status]).not.toEqual([201, 201]);
    }
  });
});

describe('a grant', () => {
  let codes: Record<'boolean' | 'limit' | 'metered', string>;
  beforeAll(async () => {
    codes = {
      boolean: uniqueId('plain'),
      limit: await describeFeature({ kind: 'limit' }),
      metered: await describeFeature({ kind: 'metered' }),
    };
  });

  test.each([
    ['metered', 1],
    ['metered', 1_000_000_000_000],
    ['metered', null],
    ['limit', 3],
    ['limit', null],
  ] as const)('of a %s feature takes the amount %p', async (kind, amount) => {
    const { body } = await giveByHand({ feature_code: codes[kind], amount }).expect(201);
    expect(body).toMatchObject({ feature_code: codes[kind], amount });
    const { body: audit } = await commerce.admin('get', `/audit?target_id=${body.grant_id}`);
    expect(audit.data[0].details).toMatchObject({ amount });
  });

  test.each([
    ['limit', undefined, 'is required, as the feature is a limit'],
    ['metered', undefined, 'is required, as the feature is metered'],
    ['boolean', 1, 'is for limits and metered features only'],
    ['boolean', null, 'is for limits and metered features only'],
    ['metered', 0, expect.any(String)],
    ['metered', 1.5, expect.any(String)],
    ['metered', 1_000_000_000_001, expect.any(String)],
  ] as const)('of a %s feature is refused with the amount %p', async (kind, amount, message) => {
    const before = await commerce.deps.database.grant.count();
    const { body } = await giveByHand({ feature_code: codes[kind], amount }).expect(400);
    expect(body).toMatchObject({ code: 'invalid_request', errors: [{ path: 'amount', message }] });
    expect(await commerce.deps.database.grant.count()).toBe(before);
  });

  test('of a boolean feature says nothing of an amount', async () => {
    const { body } = await giveByHand({ feature_code: codes.boolean }).expect(201);
    expect(body).not.toHaveProperty('amount');
  });
});
