import { randomBytes } from 'node:crypto';
import { periodStart } from './objects.ts';
import { apiVersionOf } from './shape.ts';
import type { StripeShape } from './shape.ts';

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
