import { invoiceFacts } from '@billing/domain';
import type { Stripe } from 'stripe';
import type { PhaseDeps } from './import-deps.ts';
import { eachPage } from './each-page.ts';
import { applyPayment } from './import-payments.ts';
import type { Scope } from './import-scope.ts';
import { count } from './import-state.ts';
import { disputeEvent, invoiceEvent, refundEvent } from './payment-events.ts';
import type { ImportedEvent } from './payment-events.ts';

/** Paid invoices that sold one of the project's prices besides a subscription's items. */
export async function importInvoices(deps: PhaseDeps, scope: Scope): Promise<void> {
  await eachPage(deps, {
    what: 'invoices',
    list: (params) => deps.sync.stripe.invoices.list({ ...params, status: 'paid' }),
    handle: async (invoices) => {
      for (const invoice of invoices) await importInvoice(deps, scope, invoice);
    },
  });
}

async function importInvoice(deps: PhaseDeps, scope: Scope, invoice: Stripe.Invoice): Promise<void> {
  const { id, sold, areLinesComplete } = invoiceFacts.parse(invoice);
  const mayBeOurs = sold.some((item) => scope.stripePriceIds.has(item.stripePriceId)) || !areLinesComplete;
  if (!mayBeOurs) return;
  count(deps.tally, 'payments_seen');
  await applyPayment(deps, scope, { name: id, events: [invoiceEvent(id, invoice)] });
}

/** Stripe bills no period that is longer. */
const longestPeriodS = 3 * 366 * 86_400;

type Listed = { id: string; created: number };

/** What went back of payments of the project's subscriptions: each payment's invoice is looked up, by the rules of events. */
async function importMoneyBack<T extends Listed>(
  deps: PhaseDeps,
  scope: Scope,
  lists: {
    what: string;
    list: (params: { limit: number; created: { gte: number } }) => Promise<{ data: T[]; has_more: boolean }>;
    toEvent: (object: T) => ImportedEvent;
  },
): Promise<void> {
  const gte = Math.floor(deps.sync.clock() / 1000) - longestPeriodS;
  await eachPage(deps, {
    what: lists.what,
    list: (params) => lists.list({ ...params, created: { gte } }),
    handle: async (rows) => {
      for (const row of rows)
        await applyPayment(deps, scope, { name: row.id, events: [lists.toEvent(row)], isMoneyBack: true });
    },
  });
}

export const importRefunds = (deps: PhaseDeps, scope: Scope): Promise<void> =>
  importMoneyBack(deps, scope, {
    what: 'refunds',
    list: (params) => deps.sync.stripe.refunds.list(params),
    toEvent: refundEvent,
  });

export const importDisputes = (deps: PhaseDeps, scope: Scope): Promise<void> =>
  importMoneyBack(deps, scope, {
    what: 'disputes',
    list: (params) => deps.sync.stripe.disputes.list(params),
    toEvent: disputeEvent,
  });
