import { incomingOf, rowOf } from '../order/snapshots.test-support.ts';
import { stepMention, stepSnapshot } from '../order/step-subscription.ts';
import { noClaims } from './claims.ts';
import { projectEvent } from './project-event.ts';
import { scheduleOrNull } from './schedule.ts';
import { subscriptionSnapshot } from './subscription.ts';

const phase = (start: number, prices: readonly string[], quantity?: number) => ({
  start_date: start,
  end_date: start + 10,
  items: prices.map((price) => ({ price, quantity })),
});
const whole = {
  id: 'sub_sched_1',
  current_phase: { start_date: 20, end_date: 30 },
  phases: [
    phase(10, ['price_old']),
    phase(20, ['price_a', 'price_b'], 1),
    // The same in another order: only discounts or the like differ.
    phase(30, ['price_b', 'price_a'], 1),
    phase(40, ['price_c'], 2),
    phase(50, ['price_d']),
  ],
};
const changes = [
  { effectiveAt: 40_000, items: [{ stripePriceId: 'price_c', quantity: 2 }] },
  { effectiveAt: 50_000, items: [{ stripePriceId: 'price_d', quantity: null }] },
];

test('an expanded schedule says what its later phases change, one that is named nothing', () => {
  expect(scheduleOrNull.parse(whole)).toEqual({ scheduleId: 'sub_sched_1', changes });
  const named = { scheduleId: 'sub_sched_1', changes: null };
  for (const rendered of ['sub_sched_1', { id: 'sub_sched_1' }])
    expect(scheduleOrNull.parse(rendered)).toEqual(named);
  expect(scheduleOrNull.parse(null)).toBeNull();
  const ended = { ...whole, current_phase: null };
  expect(scheduleOrNull.parse(ended)).toEqual({ scheduleId: 'sub_sched_1', changes: [] });
});

const rendered = {
  id: 'sub_1',
  object: 'subscription',
  created: 5,
  status: 'active',
  pause_collection: { behavior: 'void', resumes_at: 9 },
  schedule: 'sub_sched_1',
  pending_update: { expires_at: 8, subscription_items: [{ id: 'si_1' }] },
  latest_invoice: { id: 'in_1', hosted_invoice_url: 'https://invoice.stripe.com/i/1' },
};

test('what an event keeps of it is read as the whole is, but for what only Stripe is asked for', () => {
  const invoiceUrl = 'https://invoice.stripe.com/i/1';
  const expected = {
    createdAt: 5_000,
    pauseResumesAt: 9_000,
    schedule: { scheduleId: 'sub_sched_1', changes: null },
    pendingPayment: { expiresAt: 8_000, invoiceUrl },
  };
  expect(subscriptionSnapshot.parse(rendered)).toMatchObject(expected);
  const kept = projectEvent({ id: 'evt_1', data: { object: rendered } })['data'] as { object: object };
  expect(subscriptionSnapshot.parse(kept.object)).toMatchObject({
    ...expected,
    pendingPayment: { expiresAt: 8_000, invoiceUrl: null },
  });
});

const named = { scheduleId: 'sub_sched_1', changes: null };
const known = { scheduleId: 'sub_sched_1', changes };
const context = { lookup: null, now: 100 };

test('what was read of a schedule stays while its id does; of another one Stripe is asked soon', () => {
  const row = rowOf(incomingOf({ created: 1_000, schedule: known }));
  expect(row).toMatchObject({ schedule: known, recheckAt: null });
  const same = stepSnapshot(row, incomingOf({ created: 2_000, schedule: named }), context);
  expect(same).toMatchObject({ row: { schedule: known, recheckAt: null } });
  const other = { scheduleId: 'sub_sched_2', changes: null };
  const changed = stepSnapshot(row, incomingOf({ created: 2_000, schedule: other }), context);
  expect(changed).toMatchObject({ row: { schedule: other, recheckAt: 2_100, confirmed: true } });
  const released = stepSnapshot(row, incomingOf({ created: 2_000 }), context);
  expect(released).toMatchObject({ row: { schedule: null, recheckAt: null } });
});

test('an event of the schedule is a reason to look, unless the subscription has ended', () => {
  const mention = {
    customerId: null,
    claims: noClaims,
    created: 3_000,
    eventId: 'evt_2',
    isAboutSchedule: true,
  } as const;
  const row = rowOf(incomingOf({ created: 1_000, schedule: known }));
  expect(stepMention(row, mention, context)).toMatchObject({ row: { recheckAt: 2_100 } });
  const { isAboutSchedule: _schedule, ...other } = mention;
  expect(stepMention(row, other, context)).toMatchObject({ row: { recheckAt: null } });
  const ended = rowOf(incomingOf({ created: 1_000, status: 'canceled' }));
  expect(stepMention(ended, mention, context)).toMatchObject({ row: { recheckAt: null } });
});

test('where a waiting change can be paid stays known while it is the same invoice', () => {
  const pendingPayment = { expiresAt: 9_000, invoiceUrl: 'https://invoice.stripe.com/i/1' };
  const unknown = { expiresAt: 9_000, invoiceUrl: null };
  const row = rowOf(incomingOf({ created: 1_000, latestInvoiceId: 'in_1', pendingPayment }));
  const step = (latestInvoiceId: string) =>
    stepSnapshot(row, incomingOf({ created: 2_000, latestInvoiceId, pendingPayment: unknown }), context);
  expect(step('in_1')).toMatchObject({ row: { pendingPayment, recheckAt: null } });
  expect(step('in_2')).toMatchObject({ row: { pendingPayment: unknown, recheckAt: 2_100 } });
});

describe('the invoice that resumes a paused subscription', () => {
  const invoice = {
    id: 'in_1',
    created: 20,
    status: 'open',
    hosted_invoice_url: 'https://invoice.stripe.com/i/1',
  };
  const waits = { expiresAt: null, invoiceUrl: 'https://invoice.stripe.com/i/1' };
  test.each<[string, object, object | null]>([
    ['waits for its payment', {}, waits],
    [
      'also one that was made since the pause',
      { status_details: { paused: { transitioned_at: 20 } } },
      waits,
    ],
    ['but not what was not paid before it', { status_details: { paused: { transitioned_at: 21 } } }, null],
    ['nor one that is paid', { latest_invoice: { ...invoice, status: 'paid' } }, null],
    ['nor one of which only the id is told', { latest_invoice: 'in_1' }, null],
    ['nor one of another status', { status: 'past_due' }, null],
  ])('%s', (_what, more, pendingPayment) => {
    const paused = { id: 'sub_1', status: 'paused', latest_invoice: invoice, ...more };
    expect(subscriptionSnapshot.parse(paused)).toMatchObject({ pendingPayment });
  });

  const row = rowOf(
    incomingOf({
      created: 1_000,
      status: 'paused',
      latestInvoiceId: 'in_1',
      latestInvoiceCreatedAt: 900,
      pendingPayment: waits,
    }),
  );
  const step = (parts: object) => stepSnapshot(row, incomingOf({ created: 2_000, ...parts }), context);

  test('stays known while it is the latest, until the subscription is resumed', () => {
    const paused = { status: 'paused' as const, latestInvoiceId: 'in_1' };
    expect(step(paused)).toMatchObject({ row: { pendingPayment: waits } });
    expect(step({ ...paused, latestInvoiceId: 'in_2' })).toMatchObject({ row: { pendingPayment: null } });
    expect(step({ ...paused, status: 'active' })).toMatchObject({ row: { pendingPayment: null } });
  });
});
