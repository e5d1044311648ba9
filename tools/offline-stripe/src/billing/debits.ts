import type { InvoiceItem, Subscription, SubscriptionItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';

type Credited = NonNullable<NonNullable<InvoiceItem['proration_details']>['credited_items']>;

/** What a subscription item was billed for a span of time, net of discounts, and how a credit names it. */
export type Debit = { amount: number; period: { start: number; end: number }; credited: Credited };

const itemOf = (row: InvoiceItem): string | undefined => row.parent?.subscription_details?.subscription_item;

const keyOf = ({ invoice_item: item, invoice_line_item_details: details }: Credited): string =>
  item ?? details?.invoice_line_items[0] ?? '';

function isVoid(world: World, invoice: string | null): boolean {
  return invoice !== null && world.tables.invoices.get(invoice)?.status === 'void';
}

/** What was paid ahead for whole periods. */
function lineDebits(world: World, customer: string, itemId: string): Debit[] {
  const invoices = world.tables.invoices.by(customer).filter(({ status }) => status !== 'void');
  return invoices.flatMap((invoice) =>
    invoice.lines.data
      .filter(({ parent, amount }) => {
        const details = parent?.subscription_item_details;
        return amount > 0 && details?.subscription_item === itemId && details.invoice_item === null;
      })
      .map((line) => ({
        amount: line.amount - (line.discount_amounts ?? []).reduce((sum, { amount }) => sum + amount, 0),
        period: line.period,
        credited: {
          type: 'invoice_line_items',
          invoice_line_item_details: { invoice: invoice.id, invoice_line_items: [line.id] },
        },
      })),
  );
}

/**
 * What an item was billed for the time after `at` and has not been credited yet: credits go by what was really billed
 * (https://docs.stripe.com/billing/subscriptions/billing-mode/compare).
 */
export function uncreditedDebits(
  world: World,
  { customer }: Subscription,
  { item, at }: { item: SubscriptionItem; at: number },
): Debit[] {
  const rows = world.tables.invoiceItems
    .by(customer)
    .filter((row) => row.proration && itemOf(row) === item.id && !isVoid(world, row.invoice));
  const prorations: Debit[] = rows
    .filter(({ amount }) => amount > 0)
    .map((row) => ({
      amount: row.amount,
      period: row.period,
      credited: { type: 'invoice_item', invoice_item: row.id },
    }));
  const done = new Set(rows.flatMap((row) => row.proration_details?.credited_items ?? []).map(keyOf));
  return [...lineDebits(world, customer, item.id), ...prorations].filter(
    ({ period, credited }) => period.end > at && !done.has(keyOf(credited)),
  );
}
