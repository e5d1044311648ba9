import { dayMs, hourMs } from '@billing/domain';
import { calls, entryOf, iso, second, startUsageWorld } from '../testing/usage-world.test-support.ts';
import type { UsageWorld } from '../testing/usage-world.test-support.ts';

let world: UsageWorld;
beforeAll(async () => {
  world = await startUsageWorld();
});
afterAll(() => world.close());

describe('what an entry says', () => {
  const [start, end] = [second(Date.now() - 10 * dayMs), second(Date.now() + 20 * dayMs)];
  const period = { start, end };

  const cases: [what: string, sold: [features: object[], item?: object], code: string, says: object][] = [
    ['a boolean code', [[]], 'plain', { kind: 'boolean' }],
    [
      'a limit',
      [[{ feature_code: 'seats', limit: 5, value: { tier: 'team' } }]],
      'seats',
      { kind: 'limit', limit: 5, value: { tier: 'team' } },
    ],
    [
      'a limit for one of the quantity',
      [[{ feature_code: 'seats', limit: 5, per_unit: true }], { quantity: 3 }],
      'seats',
      { kind: 'limit', limit: 15, value: null },
    ],
    [
      'no limit',
      [[{ feature_code: 'history', limit: null }]],
      'history',
      { kind: 'limit', limit: null, value: null },
    ],
    [
      'an allowance for the paid period',
      [[calls()]],
      'calls',
      { kind: 'metered', allowance: 1_000, period_start: iso(start), period_end: iso(end) },
    ],
    [
      'an allowance without limit, for one of the quantity',
      [[calls({ allowance: null, per_unit: true })], { quantity: 3 }],
      'calls',
      { kind: 'metered', allowance: null, period_start: iso(start), period_end: iso(end) },
    ],
    [
      'an allowance for ever',
      [[calls({ period: 'once' })]],
      'calls',
      { kind: 'metered', allowance: 1_000, period_start: iso(start), period_end: null },
    ],
  ];

  test.each(cases)('%s', async (_what, [features, item], code, says) => {
    const project = await world.startProject();
    const { stripePriceId } = await world.sell(project, { features });
    const userId = await world.subscribe(project, [{ stripePriceId, ...item }], period);
    const answer = await world.check(project, userId);
    const { feature_code, is_active, valid_from, valid_to, current_period_end, ...rest } =
      entryOf(answer, code) ?? {};
    expect([feature_code, is_active, valid_from, current_period_end]).toEqual([
      code,
      true,
      iso(start),
      iso(end),
    ]);
    expect(valid_to).toBe(iso(end.getTime() + 24 * hourMs));
    const { source, source_id, status, quantity, confirmed, ...usage } = rest;
    expect([source, status, confirmed]).toEqual(['subscription', 'active', true]);
    expect([typeof source_id, typeof quantity]).toEqual(['string', 'number']);
    expect(usage).toEqual(says);
    // The batch says the same, as does the cache.
    const { body: batch } = await world.commerce
      .http()
      .post('/api/v1/entitlements/batch')
      .set('authorization', `Bearer ${project.apiKey}`)
      .send({ user_ids: [userId] })
      .expect(200);
    expect(batch.results[0].entitlements).toEqual(answer.entitlements);
    const hit = await world.check(project, userId);
    expect([hit.cache, hit.entitlements]).toEqual(['hit', answer.entitlements]);
  });

  test('a trial, a payment that failed, a grant by hand', async () => {
    const project = await world.startProject();
    const { stripePriceId } = await world.sell(project, { features: [calls({ trial_allowance: 10 })] });
    const trial = await world.subscribe(project, [{ stripePriceId }], {
      ...period,
      status: 'trialing',
      trialEnd: end,
    });
    expect(entryOf(await world.check(project, trial), 'calls')).toMatchObject({ allowance: 10 });
    const late = await world.subscribe(project, [{ stripePriceId }], {
      ...period,
      status: 'past_due',
      pastDueSince: world.ago(dayMs),
    });
    expect(entryOf(await world.check(project, late), 'calls')).toMatchObject({ allowance: 1_000 });
    const policy = (past_due_allowance: string | null) =>
      world.commerce
        .admin('patch', `/projects/${project.projectId}`, { policy: { past_due_allowance } })
        .expect(200);
    await policy('withhold');
    for (const by of [world.commerce, world.other])
      expect(entryOf(await world.check(project, late, by), 'calls')).toMatchObject({ allowance: 0 });
    await policy(null);
    expect(entryOf(await world.check(project, late), 'calls')).toMatchObject({ allowance: 1_000 });
    const grant = { project_id: project.projectId, reason: 'test', valid_to: iso(end) };
    const given = await world.commerce
      .admin('post', '/grant', { ...grant, user_id: 'by hand', feature_code: 'calls', amount: 70 })
      .expect(201);
    await world.commerce
      .admin('post', '/grant', { ...grant, user_id: 'by hand', feature_code: 'seats', amount: 2 })
      .expect(201);
    const { entitlements } = await world.check(project, 'by hand');
    expect(entitlements).toMatchObject([
      {
        feature_code: 'calls',
        kind: 'metered',
        allowance: 70,
        period_start: given.body.valid_from,
        period_end: iso(end),
      },
      { feature_code: 'seats', kind: 'limit', limit: 2 },
    ]);
  });

  test('a limit is the greatest of the base sources plus all that are added', async () => {
    const project = await world.startProject();
    const base = await world.sell(project, { features: [{ feature_code: 'seats', limit: 5 }] });
    const more = await world.sell(project, {
      features: [{ feature_code: 'seats', limit: 2, add_on: true, per_unit: true }],
    });
    const userId = await world.subscribe(project, [base, { ...more, quantity: 3 }], period);
    const granted = { project_id: project.projectId, user_id: userId, feature_code: 'seats', reason: 'test' };
    await world.commerce.admin('post', '/grant', { ...granted, amount: 10 }).expect(201);
    expect(entryOf(await world.check(project, userId), 'seats')).toMatchObject({
      limit: 5 + 6 + 10,
      source: 'manual',
    });
  });
});

describe('a change of the catalog is right on the next check of everybody', () => {
  test('settings, kinds and grants, in the process that answered and in another', async () => {
    const project = await world.startProject();
    const { productId, stripePriceId } = await world.sell(project, { features: [calls()] });
    const period = { start: world.ago(dayMs), end: new Date(world.now() + 20 * dayMs) };
    const users = [
      await world.subscribe(project, [{ stripePriceId }], period),
      await world.subscribe(project, [{ stripePriceId }], period),
    ];
    const allowances = async () => {
      const all = await Promise.all(
        [world.commerce, world.other].flatMap((by) =>
          users.map(async (one) => entryOf(await world.check(project, one, by), 'calls')?.['allowance']),
        ),
      );
      return [...new Set(all)];
    };
    const change = (features: object[]) =>
      world.commerce
        .admin('patch', `/projects/${project.projectId}/products/${productId}`, { features })
        .expect(200);
    expect(await allowances()).toEqual([1_000]);
    await change([calls({ allowance: 2_000 })]);
    expect(await allowances()).toEqual([2_000]);
    await change([calls({ allowance: null })]);
    expect(await allowances()).toEqual([null]);
    await change([]);
    expect(await allowances()).toEqual([undefined]);
    await world.commerce
      .admin('patch', `/projects/${project.projectId}/features/calls`, { kind: 'limit' })
      .expect(200);
    await change([{ feature_code: 'calls', limit: 3 }]);
    for (const by of [world.commerce, world.other])
      for (const one of users)
        expect(entryOf(await world.check(project, one, by), 'calls')).toMatchObject({
          kind: 'limit',
          limit: 3,
        });
  });
});

describe('explain', () => {
  test('says what each source gives, and why', async () => {
    const project = await world.startProject();
    const [start, end] = [second(world.now() - 10 * dayMs), second(world.now() + 20 * dayMs)];
    const { stripePriceId } = await world.sell(project, {
      features: [
        calls({ overage: 'allow', overage_limit: 50, rollover: { periods: 2 }, per_unit: true }),
        { feature_code: 'seats', limit: 5, add_on: true },
      ],
    });
    const userId = await world.subscribe(project, [{ stripePriceId, quantity: 2 }], { start, end });
    const { explanation } = await world.check(project, userId, world.commerce, { explain: 'true' });
    expect(explanation).toMatchObject([
      {
        reason: 'in_force',
        usage: [
          {
            feature_code: 'calls',
            kind: 'metered',
            gives: 2_000,
            why: 'allowance',
            bucket: {
              period: 'billing',
              period_start: iso(start),
              period_end: iso(end),
              overage_limit: 50,
              rollover_periods: 2,
            },
          },
          { feature_code: 'seats', kind: 'limit', gives: 5, why: 'add_on', bucket: null },
        ],
      },
    ]);
    const { body } = await world.commerce.admin('get', `/users/${project.projectId}/${userId}`).expect(200);
    expect(body.explanation).toEqual(explanation);
    expect(body.entitlements).toContainEqual(
      expect.objectContaining({ feature_code: 'calls', kind: 'metered' }),
    );
  });
});
