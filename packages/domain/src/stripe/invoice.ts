import { z } from 'zod';
import { id } from '../ids.ts';
import { reference, words } from './fields.ts';

export type InvoiceFacts = {
  id: string;
  customerId: string | null;
  subscriptionId: string | null;
  status: string | null;
  /** PaymentIntents that paid it; empty where the rendering leaves payments out. */
  paymentIntentIds: string[];
};

const payment = z.looseObject({ payment: z.looseObject({ payment_intent: reference }).nullish() });

const invoice = z.looseObject({
  id,
  customer: reference,
  status: words,
  /** Before 2025-03-31. */
  subscription: reference,
  subscription_details: z.looseObject({ subscription: reference }).nullish(),
  payment_intent: reference,
  /** Since 2025-03-31. */
  parent: z
    .looseObject({ subscription_details: z.looseObject({ subscription: reference }).nullish() })
    .nullish(),
  payments: z.looseObject({ data: z.array(payment) }).nullish(),
});

/** Reads an invoice as rendered by any API version. */
export const invoiceFacts = invoice.transform((whole): InvoiceFacts => {
  const paidBy = (whole.payments?.data ?? []).map((entry) => entry.payment?.payment_intent ?? null);
  const paymentIntentIds = [whole.payment_intent, ...paidBy].filter((one) => one !== null);
  return {
    id: whole.id,
    customerId: whole.customer,
    subscriptionId:
      whole.parent?.subscription_details?.subscription ??
      whole.subscription ??
      whole.subscription_details?.subscription ??
      null,
    status: whole.status,
    paymentIntentIds: [...new Set(paymentIntentIds)],
  };
});
