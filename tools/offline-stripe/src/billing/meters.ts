import { costOf, isMetered } from '../objects/catalog.ts';
import { lineObject } from '../objects/invoice-line.ts';
import { meterKey } from '../state/private-rows.ts';
import type { MeterReading } from '../state/private-rows.ts';
import type { Invoice, InvoiceLine, Meter, Subscription, SubscriptionItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';

type Span = { meter: Meter; customer: string; start: number; end: number };

/** What a meter counted of a customer, from `start` until before `end`, oldest first. */
export function readingsWithin(world: World, { meter, customer, start, end }: Span): MeterReading[] {
  return world.tables.meterReadings
    .by(meterKey({ event_name: meter.event_name, customer }))
    .filter(({ timestamp: at }) => at >= start && at < end);
}

/** By the meter's formula. */
export function valueOf(meter: Meter, readings: MeterReading[]): number {
  if (meter.default_aggregation.formula === 'count') return readings.length;
  if (meter.default_aggregation.formula === 'last')
    return readings.toSorted((a, b) => a.timestamp - b.timestamp).at(-1)?.value ?? 0;
  return readings.reduce((sum, { value }) => sum + value, 0);
}

/** While Stripe keeps an invoice of usage as a draft: late meter events still count. */
export const draftSeconds = 3_600;

/** The line of a metered item for a period that is over: what the meter counted, never less than 0; free in a trial. */
export function meteredLine(
  world: World,
  item: SubscriptionItem,
  of: { invoice: string; customer: string; period: { start: number; end: number }; isTrial: boolean },
): InvoiceLine {
  const meter = world.tables.meters.get(item.price.recurring?.meter ?? '');
  const counted =
    meter === undefined || of.isTrial
      ? 0
      : Math.max(0, valueOf(meter, readingsWithin(world, { meter, customer: of.customer, ...of.period })));
  const line = lineObject({ ...item, quantity: counted }, of);
  const amount = of.isTrial ? 0 : costOf(item.price, counted);
  return { ...line, amount, subtotal: amount };
}

/** The lines of metered items for the periods that end as the subscription moves on, or ends. */
export const meteredLines = (
  world: World,
  before: Subscription,
  { items, invoice, until }: { items: SubscriptionItem[]; invoice: string; until: number },
): InvoiceLine[] =>
  items
    .filter(({ price }) => isMetered(price))
    .map((item) =>
      meteredLine(world, item, {
        invoice,
        customer: before.customer,
        period: { start: item.current_period_start, end: Math.min(until, item.current_period_end) },
        isTrial: before.status === 'trialing',
      }),
    );

/** The lines of a draft with what the meters have counted by now. */
export function recount(world: World, draft: Invoice): InvoiceLine[] {
  const { customer } = draft;
  return draft.lines.data.map((line) => {
    const price = world.tables.prices.get(line.pricing?.price_details?.price ?? '');
    const id = line.parent?.subscription_item_details?.subscription_item;
    const subscription = world.tables.subscriptions.get(line.subscription ?? '');
    const item = subscription?.items.data.find((one) => one.id === id);
    if (customer === null || price === undefined || !isMetered(price) || item === undefined) return line;
    const isTrial = line.description === 'Trial period';
    const counted = meteredLine(
      world,
      { ...item, price },
      { invoice: draft.id, customer, period: line.period, isTrial },
    );
    return { ...counted, id: line.id };
  });
}
