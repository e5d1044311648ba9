import { subscriptionOut } from '@billing/domain';
import type { ErrorCode, SubscriptionOut } from '@billing/domain';
import type { Answer, Header } from '../../http/define-endpoint.ts';
import { subscriptionExample } from '../../subscriptions/present-subscription.ts';

/** Of every call that changes a subscription. */
export const changeHeaders: readonly Header[] = [
  {
    name: 'Idempotency-Key',
    description:
      'Per project, 1 to 255 printable ASCII characters: the same key, call and body give the same answer for 24 hours, and Stripe is asked once. Only 200 is remembered. After an answer whose outcome is unknown (503, none at all) send the same again.',
    pattern: '^[!-~](?:[ -~]{0,253}[!-~])?$',
    isRequired: false,
    example: 'cancel-4711',
  },
];

/** The subscription after the change. */
export const changedAnswer = (changes: Partial<SubscriptionOut>) =>
  ({
    status: 200,
    description:
      'As Stripe has it now. `confirmed: false`: Stripe made the change, and could not be asked for the whole; that is done within seconds.',
    schema: subscriptionOut,
    example: { ...subscriptionExample, ...changes },
  }) satisfies Answer;

/** Of every call that changes a subscription. */
export const changeErrors: readonly ErrorCode[] = [
  'subscription_not_found',
  'idempotency_conflict',
  'idempotency_in_progress',
  'stripe_error',
  'stripe_unavailable',
];
