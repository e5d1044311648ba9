/** Stripe's API versions that moved fields the service reads (Stripe's changelog, "Breaking changes"). */
export const stripeShapes = ['acacia', 'basil', 'clover', 'dahlia', 'endive'] as const;
export type StripeShape = (typeof stripeShapes)[number];

/** The `api_version` that events of a shape carry. */
export const apiVersionOf: Record<StripeShape, string> = {
  acacia: '2025-02-24.acacia',
  basil: '2025-03-31.basil',
  clover: '2025-09-30.clover',
  dahlia: '2026-03-25.dahlia',
  endive: '2026-10-28.endive',
};

/** Before 2025-03-31: the period on the subscription, `invoice.subscription`, `charge.invoice`. */
export const isOldShape = (shape: StripeShape): boolean => shape === 'acacia';
