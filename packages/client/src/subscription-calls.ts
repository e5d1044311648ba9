import { isBoolean, isInteger, isString, isTimestamp, listOf, nullable, shape } from './check-answer.ts';
import type { Guard } from './check-answer.ts';
import type { EntitlementCache } from './entitlement-cache.ts';
import type { Settings } from './options.ts';
import { refusedHere, requireIds, requirePathId } from './require-ids.ts';
import { createIdempotencyKey, idempotencyKeyProblem, withRetries } from './retry.ts';
import { sendRequest } from './send-request.ts';
import type {
  Cancellation,
  ChangePreview,
  Pause,
  Subscription,
  SubscriptionChange,
  SubscriptionItem,
  SubscriptionList,
  SubscriptionStatus,
  WantedChange,
} from './subscriptions-wire.ts';

export type ListOptions = {
  /** Only those of this status. */
  status?: SubscriptionStatus | undefined;
  /** The most to answer, 1 to 100. Default 50. */
  limit?: number | undefined;
  /** The `next_cursor` of the page before. */
  cursor?: string | undefined;
};
export type ChangeOptions = {
  /** The same key and request have one effect for 24 hours. Made for each call if absent. */
  idempotencyKey?: string | undefined;
};

/** Changes are retried with one idempotency key, and forget the user's cached entitlements. */
export type SubscriptionCalls = {
  /** A user's, newest first, ended ones too. */
  subscriptions: (userId: string, options?: ListOptions) => Promise<SubscriptionList>;
  subscription: (subscriptionId: string) => Promise<Subscription>;
  /** Now, or at the end of the paid period. Again: the same answer. */
  cancelSubscription: (
    subscriptionId: string,
    cancellation: Cancellation,
    options?: ChangeOptions,
  ) => Promise<Subscription>;
  /** Undoes a cancellation that is still to come, and a pause. */
  resumeSubscription: (subscriptionId: string, options?: ChangeOptions) => Promise<Subscription>;
  /** Its periods go on, and their invoices are not collected. */
  pauseSubscription: (
    subscriptionId: string,
    pause?: Pause,
    options?: ChangeOptions,
  ) => Promise<Subscription>;
  /** What a change would cost, and a token that holds the service to it. */
  previewChange: (subscriptionId: string, change: WantedChange) => Promise<ChangePreview>;
  /** Fails with `payment_required` (`hostedInvoiceUrl`) where the payment fails: the old plan goes on until that is paid. */
  changeSubscription: (
    subscriptionId: string,
    change: SubscriptionChange,
    options?: ChangeOptions,
  ) => Promise<Subscription>;
  /** Gives up what is to change later, or once it is paid. */
  dropPendingChange: (subscriptionId: string, options?: ChangeOptions) => Promise<Subscription>;
};

// A newer service may send other words; an answer is not refused for one of them.
const isStatus = (value: unknown): value is SubscriptionStatus => isString(value);

const priced = {
  price_id: nullable(isString),
  stripe_price_id: isString,
  product_id: nullable(isString),
  quantity: nullable(isInteger),
};

export const isSubscription: Guard<Subscription> = shape<Subscription>({
  subscription_id: isString,
  user_id: isString,
  status: isStatus,
  items: listOf(
    shape<SubscriptionItem>({
      item_id: isString,
      ...priced,
      current_period_start: nullable(isTimestamp),
      current_period_end: nullable(isTimestamp),
    }),
  ),
  cancel_at: nullable(isTimestamp),
  cancel_at_period_end: isBoolean,
  ended_at: nullable(isTimestamp),
  trial_end: nullable(isTimestamp),
  pause_collection: nullable(shape({ behavior: nullable(isString), resumes_at: nullable(isTimestamp) })),
  pending_change: nullable(shape({ effective_at: isTimestamp, items: listOf(shape(priced)) })),
  pending_payment: nullable(
    shape({ hosted_invoice_url: nullable(isString), expires_at: nullable(isTimestamp) }),
  ),
  is_duplicate: isBoolean,
  confirmed: isBoolean,
  created: isTimestamp,
});

const isPreview: Guard<ChangePreview> = shape<ChangePreview>({
  due_now: isInteger,
  credit: isInteger,
  currency: isString,
  lines: listOf(
    shape({
      description: nullable(isString),
      amount: isInteger,
      period: shape({ start: isTimestamp, end: isTimestamp }),
    }),
  ),
  next_invoice: nullable(shape({ at: isTimestamp, amount: isInteger })),
  effective_at: isTimestamp,
  preview_token: isString,
  expires_at: isTimestamp,
});

const isList: Guard<SubscriptionList> = shape<SubscriptionList>({
  data: listOf(isSubscription),
  next_cursor: nullable(isString),
});

/** The address of a subscription, or of a call about it. */
function pathOf(id: string, operation = ''): string {
  requirePathId('subscription_id', id);
  return `subscriptions/${encodeURIComponent(id)}${operation}`;
}

const isThat =
  (id: string): Guard<Subscription> =>
  (value): value is Subscription =>
    isSubscription(value) && value.subscription_id === id;

/** Without a body it is a deletion. */
type Change = { id: string; operation: string; body?: object; options: ChangeOptions };

export function createSubscriptionCalls(
  settings: Settings,
  cache: EntitlementCache | null,
): SubscriptionCalls {
  const { retries, readTimeoutMs, purchaseTimeoutMs } = settings;

  async function change({ id, operation, body, options }: Change): Promise<Subscription> {
    const path = pathOf(id, `/${operation}`);
    const { idempotencyKey = createIdempotencyKey() } = options;
    const problem = idempotencyKeyProblem(idempotencyKey);
    if (problem !== null) throw refusedHere([{ path: 'Idempotency-Key', message: problem }]);
    const what = body === undefined ? ({ method: 'DELETE' } as const) : ({ method: 'POST', body } as const);
    const call = { ...what, path, idempotencyKey, timeoutMs: purchaseTimeoutMs };
    const changed = await withRetries(retries, () =>
      sendRequest(settings, { ...call, isAnswer: isThat(id) }),
    );
    cache?.forget(changed.user_id);
    return changed;
  }

  return {
    subscriptions: async (userId, { status, limit, cursor } = {}) => {
      requireIds({ user_id: userId });
      const query = {
        user_id: userId,
        ...(status === undefined ? {} : { status }),
        ...(limit === undefined ? {} : { limit: String(limit) }),
        ...(cursor === undefined ? {} : { cursor }),
      };
      const call = { method: 'GET', path: 'subscriptions', query, timeoutMs: readTimeoutMs } as const;
      return withRetries(retries, () => sendRequest(settings, { ...call, isAnswer: isList }));
    },
    subscription: async (id) => {
      const call = { method: 'GET', path: pathOf(id), timeoutMs: readTimeoutMs } as const;
      return withRetries(retries, () => sendRequest(settings, { ...call, isAnswer: isThat(id) }));
    },
    cancelSubscription: (id, cancellation, options = {}) =>
      change({ id, operation: 'cancel', body: cancellation, options }),
    resumeSubscription: (id, options = {}) => change({ id, operation: 'resume', body: {}, options }),
    pauseSubscription: (id, pause = {}, options = {}) =>
      change({ id, operation: 'pause', body: pause, options }),
    previewChange: async (id, wanted) => {
      const call = {
        method: 'POST',
        path: pathOf(id, '/preview'),
        body: wanted,
        timeoutMs: purchaseTimeoutMs,
      } as const;
      return withRetries(retries, () => sendRequest(settings, { ...call, isAnswer: isPreview }));
    },
    changeSubscription: (id, wanted, options = {}) =>
      change({ id, operation: 'change', body: wanted, options }),
    dropPendingChange: (id, options = {}) => change({ id, operation: 'pending-change', options }),
  };
}
