import { randomBytes } from 'node:crypto';

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

export const periodStart = 1_780_000_000;
export const periodEnd = periodStart + 30 * 86_400;

export type EventParts = {
  type: string;
  object: object;
  id?: string;
  /** Seconds. */
  created?: number;
  isLive?: boolean;
  account?: string;
  shape?: StripeShape;
};

/** A Stripe event around an object, with an id of its own. */
export function stripeEvent(parts: EventParts) {
  return {
    id: parts.id ?? `evt_${randomBytes(12).toString('hex')}`,
    object: 'event',
    api_version: apiVersionOf[parts.shape ?? 'endive'],
    created: parts.created ?? periodStart,
    data: { object: parts.object },
    livemode: parts.isLive ?? false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type: parts.type,
    ...(parts.account === undefined ? {} : { account: parts.account }),
  };
}
