import { id, reference, seconds } from '@billing/domain';
import { z } from 'zod';

/** What is needed of Stripe's objects; the rest of an answer is not looked at. */
const page = z.url({ protocol: /^https?$/ });

export const stripeCustomer = z.object({ id });
export const foundCustomer = z.object({ id, deleted: z.boolean().optional() });
/** A hosted page has an address, an embedded one a secret. */
export const checkoutSession = z
  .object({ id, url: page.nullish(), client_secret: z.string().min(1).nullish(), expires_at: seconds })
  .refine(({ url, client_secret: secret }) => (url ?? secret ?? null) !== null, { path: ['url'] });
export type Session = z.output<typeof checkoutSession>;
export const sessionState = z.object({
  id,
  status: z.enum(['open', 'complete', 'expired']),
  url: page.nullish(),
  client_secret: z.string().min(1).nullish(),
  subscription: z.string().nullish(),
  /** Expanded where a session is read. */
  customer: z.union([z.string(), z.object({ deleted: z.boolean().optional() })]).nullish(),
  expires_at: seconds,
});
export const promotionCode = z.object({ id, active: z.boolean(), customer: z.string().nullish() });
export const promotionCodes = z.object({ data: z.array(promotionCode) });
export const portalSession = z.object({ url: page, created: seconds });

const invoiceLine = z.object({
  pricing: z
    .object({ price_details: z.object({ price: reference, product: reference }).nullish() })
    .nullish(),
});
const invoice = z.object({
  id,
  number: z.string().nullish(),
  status: z.string().nullish(),
  total: z.number().int(),
  amount_due: z.number().int(),
  currency: z.string(),
  created: seconds,
  period_start: seconds,
  period_end: seconds,
  hosted_invoice_url: z.string().nullish(),
  invoice_pdf: z.string().nullish(),
  lines: z.object({ data: z.array(invoiceLine) }),
  parent: z
    .object({ subscription_details: z.object({ subscription: reference }).nullish() })
    .nullish()
    .transform((parent) => parent?.subscription_details?.subscription ?? null),
});
export const invoicePage = z.object({ data: z.array(invoice), has_more: z.boolean() });
export type StripeInvoice = z.output<typeof invoice>;
