import { deriveEntitlements, hourMs, resolvePolicy, toExplanationOut } from '@billing/domain';
import { readSources } from '@billing/store';
import {
  chargeObject,
  disputeObject,
  invoiceObject,
  periodEnd,
  periodStart,
  sessionObject,
  stripeEvent,
  subscriptionObject,
} from '@billing/testing';
import { startTestWorker } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';

let world: TestWorker;
beforeAll(async () => {
  world = await startTestWorker();
});
afterAll(() => world.close());

async function explain(userId: string) {
  const found = (await readSources(world.database, 'shop', [userId], { isExplained: true })).get(userId);
  if (found === undefined) throw new Error('no project');
  const context = {
    policy: resolvePolicy(found.policy, 7),
    now: periodStart * 1000 + 1,
    renewalAllowanceMs: 24 * hourMs,
  };
  return deriveEntitlements(found.sources, context).evaluations.map((one) => toExplanationOut(one));
}

/** Leaves a payment as the lookup of its invoice would: this Stripe does not have it. */
async function lookedUp(paymentId: string, invoice: { id: string; subscriptionId: string }): Promise<void> {
  const { record } = await world.database.purchase.findUniqueOrThrow({ where: { id: paymentId } });
  const [periodStartMs, periodEndMs] = [periodStart * 1000, periodEnd * 1000];
  const cover = {
    itemId: 'si_1',
    stripePriceId: 'price_sub',
    periodStart: periodStartMs,
    periodEnd: periodEndMs,
  };
  const known = { ...invoice, total: 4_900, covers: [cover], sold: [] };
  await world.database.purchase.update({
    where: { id: paymentId },
    data: {
      invoiceId: invoice.id,
      subscriptionId: invoice.subscriptionId,
      record: Object.assign({}, record, { invoice: known }),
    },
  });
}

describe('an explanation', () => {
  it('has every source, why or why not, and the event behind it', async () => {
    const metadata = { user_id: 'eve', project_id: 'shop' };
    const own = { ...metadata, price_id: 'our_once', quantity: '1' };
    const sub = (id: string, parts: Parameters<typeof subscriptionObject>[0]) =>
      stripeEvent({
        id: `evt_${id}`,
        type: 'customer.subscription.updated',
        object: subscriptionObject({
          id,
          customer: `cus_${id}`,
          metadata,
          latestInvoice: `in_${id}`,
          ...parts,
        }),
      });
    const paid = (id: string, parts: Parameters<typeof sessionObject>[0] = {}) =>
      stripeEvent({
        id: `evt_${id}`,
        type: 'checkout.session.completed',
        object: sessionObject({ id: `cs_${id}`, paymentIntent: id, customer: null, metadata: own, ...parts }),
      });
    const later = periodStart + 5;
    await world.deliver(
      sub('sub_a_live', {}),
      sub('sub_b_unpaid', { status: 'unpaid' }),
      sub('sub_c_unmapped', { items: [{ priceId: 'price_of_nobody' }] }),
      sub('sub_d_gone', { status: 'canceled', endedAt: periodStart }),
      sub('sub_e_disputed', {}),
      stripeEvent({
        type: 'invoice.paid',
        object: invoiceObject({ id: 'in_sub_e_disputed', subscription: 'sub_e_disputed' }),
      }),
      stripeEvent({
        id: 'evt_old_refund',
        type: 'charge.refunded',
        object: chargeObject(
          {
            id: 'ch_e',
            paymentIntent: 'pi_e',
            customer: null,
            invoice: 'in_sub_e_disputed',
            amountRefunded: 1,
          },
          'acacia',
        ),
        shape: 'acacia',
        created: later,
      }),
      stripeEvent({
        id: 'evt_dispute',
        type: 'charge.dispute.created',
        object: disputeObject({ charge: 'ch_e', paymentIntent: 'pi_e' }),
        created: later + 1,
      }),
      paid('pi_a_paid'),
      paid('pi_b_pending', { paymentStatus: 'unpaid' }),
      paid('pi_c_back'),
      stripeEvent({
        id: 'evt_refund',
        type: 'charge.refunded',
        object: chargeObject({
          id: 'ch_c',
          paymentIntent: 'pi_c_back',
          customer: null,
          amountRefunded: 4_900,
        }),
        created: later,
      }),
    );
    await lookedUp('pi_e', { id: 'in_sub_e_disputed', subscriptionId: 'sub_e_disputed' });
    const explained = await explain('eve');
    const lines = explained.map((one) => [one.source_id, one.reason, one.in_force, one.last_event?.event_id]);
    expect(lines).toEqual([
      ['sub_a_live', 'in_force', true, 'evt_sub_a_live'],
      ['sub_b_unpaid', 'unpaid', false, 'evt_sub_b_unpaid'],
      ['sub_c_unmapped', 'unmapped_price', false, 'evt_sub_c_unmapped'],
      ['sub_d_gone', 'canceled', false, 'evt_sub_d_gone'],
      ['sub_e_disputed', 'disputed', false, 'evt_dispute'],
      ['pi_a_paid', 'in_force', true, 'evt_pi_a_paid'],
      ['pi_b_pending', 'payment_pending', false, 'evt_pi_b_pending'],
      ['pi_c_back', 'refunded', false, 'evt_refund'],
    ]);
  });
});
