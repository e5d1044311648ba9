import { emit } from '../events/emit.ts';
import { invoiceItemObject, type NewInvoiceItem } from '../objects/invoice-item.ts';
import type { InvoiceItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';

export function createInvoiceItem(world: World, fields: Omit<NewInvoiceItem, 'date'>): InvoiceItem {
  const item = world.tables.invoiceItems.insert(invoiceItemObject({ ...fields, date: world.clock.now() }));
  emit(world, 'invoiceitem.created', item);
  return item;
}

export function subscriptionOfItem(item: InvoiceItem): string | null {
  return item.parent?.subscription_details?.subscription ?? null;
}

type Waiting = {
  customer: string;
  currency: string;
  /** An invoice of a subscription takes up its items and those of none; null: only those of none. */
  subscription: string | null;
};

/** Invoice items that no invoice has yet, oldest first. */
export function pendingItems(world: World, { customer, currency, subscription }: Waiting): InvoiceItem[] {
  return world.tables.invoiceItems.by(customer).filter((item) => {
    const owner = subscriptionOfItem(item);
    return item.invoice === null && item.currency === currency && (owner === null || owner === subscription);
  });
}
