import { emitChange } from '../events/emit.ts';
import { newId } from '../ids.ts';
import type { BalanceTransaction, Customer, Metadata } from '../stripe-objects.ts';
import type { World } from '../world.ts';

export type BalanceChange = {
  /** Negative: the customer gets credit. In the currency's smallest unit. */
  amount: number;
  currency: string;
  type: BalanceTransaction['type'];
  description?: string | null;
  invoice?: string | null;
  metadata?: Metadata;
};

/** Changes what a customer has in credit (negative) or owes; later invoices take it up when they are finalized. */
export function changeBalance(world: World, customer: Customer, change: BalanceChange): BalanceTransaction {
  const after = world.tables.customers.update(customer, {
    balance: customer.balance + change.amount,
    currency: customer.currency ?? change.currency,
  });
  const made = world.tables.balanceTransactions.insert({
    id: newId('cbtxn'),
    object: 'customer_balance_transaction',
    amount: change.amount,
    checkout_session: null,
    created: world.clock.now(),
    credit_note: null,
    currency: change.currency,
    customer: customer.id,
    customer_account: null,
    description: change.description ?? null,
    ending_balance: after.balance,
    invoice: change.invoice ?? null,
    livemode: false,
    metadata: change.metadata ?? {},
    type: change.type,
  });
  emitChange(world, 'customer.updated', { before: customer, after });
  return made;
}
