import { isUnavailable } from './billing-error.ts';
import {
  isBatchResponse,
  isCheckoutResponse,
  isConfirmedCustomer,
  isEntitlementsResponse,
  isPortalResponse,
} from './check-answer.ts';
import { createEntitlementCache, systemMoment } from './entitlement-cache.ts';
import type { EntitlementCache } from './entitlement-cache.ts';
import { listInvoices } from './invoice-calls.ts';
import type { InvoicesOptions } from './invoice-calls.ts';
import { resolveOptions } from './options.ts';
import type { BillingClientOptions, Settings, UnavailableAnswer } from './options.ts';
import { refusedHere, requireIds } from './require-ids.ts';
import { createIdempotencyKey, idempotencyKeyProblem, withRetries } from './retry.ts';
import { sendRequest } from './send-request.ts';
import { createSubscriptionCalls } from './subscription-calls.ts';
import type { SubscriptionCalls } from './subscription-calls.ts';
import { createUsageCalls } from './usage-calls.ts';
import type { UsageCalls } from './usage-calls.ts';
import { createRecorder } from './usage-recorder.ts';
import type { RecorderOptions, UsageRecorder } from './usage-recorder.ts';
import type {
  BatchResponse,
  CheckoutRequest,
  CheckoutResponse,
  ConfirmCustomerRequest,
  ConfirmedCustomer,
  EntitlementsResponse,
  InvoiceList,
  PortalRequest,
  PortalResponse,
} from './wire.ts';

export type EntitlementsOptions = {
  /** Only this feature. */
  featureCode?: string | undefined;
  /** With every source that was considered, and why it is in force or not. Never from the cache. */
  explain?: boolean | undefined;
  /** With the `balance` of metered features and counted limits. Never from the cache. */
  usage?: boolean | undefined;
};
export type CanOptions = {
  /** In place of the client's setting, for this call only. */
  onUnavailable?: UnavailableAnswer | undefined;
};
export type CheckoutOptions = {
  /** The same key and body lead to the same session for 24 hours. Made for each call if absent. */
  idempotencyKey?: string | undefined;
};

export type BillingClient = UsageCalls &
  SubscriptionCalls & {
    /** Records what happened in batches, in the background. One for a process; `close` it at the end. Throws a `TypeError` if an option is wrong. */
    createRecorder: (options: RecorderOptions) => UsageRecorder;
    /** What is in force for a user now. An unknown user has no entitlements. */
    entitlements: (userId: string, options?: EntitlementsOptions) => Promise<EntitlementsResponse>;
    /** Whether a user may use a feature now; `onUnavailable` decides while the service is away. */
    can: (userId: string, featureCode: string, options?: CanOptions) => Promise<boolean>;
    /** What is in force for 1 to 100 users, in the order given. Never from the cache. */
    batch: (userIds: readonly string[]) => Promise<BatchResponse>;
    /** A page of Stripe's on which the user can buy. Retried with one idempotency key. */
    createCheckout: (request: CheckoutRequest, options?: CheckoutOptions) => Promise<CheckoutResponse>;
    /** A page of Stripe's on which the user can change, pay or cancel. Tried once. */
    createPortalSession: (request: PortalRequest) => Promise<PortalResponse>;
    /** A page of a user's invoices, newest first, as Stripe has them now: keep what you show. */
    invoices: (userId: string, options?: InvoicesOptions) => Promise<InvoiceList>;
    /**
     * Says that a buyer who typed this user's id was the user: what was bought, and what the buyer's Stripe customer buys
     * from now on, is the user's like any other. Retried, as it may be sent again.
     */
    confirmCustomer: (request: ConfirmCustomerRequest) => Promise<ConfirmedCustomer>;
    /** Drops the cached answer of a user, or all: after a purchase, for example. */
    forget: (userId?: string) => void;
  };

/** A client for one project. Throws a `TypeError` if an option is wrong; the calls fail with a `BillingError`. */
export function createBillingClient(options: BillingClientOptions): BillingClient {
  const settings = resolveOptions(options);
  warnInPages();
  const cache =
    settings.cache === null ? null : createEntitlementCache({ ...settings.cache, now: systemMoment });

  const entitlements: BillingClient['entitlements'] = async (
    userId,
    { featureCode, explain = false, usage: withUsage = false } = {},
  ) => {
    requireIds({ user_id: userId, ...(featureCode === undefined ? {} : { feature_code: featureCode }) });
    if (cache === null || explain || withUsage)
      return readEntitlements(settings, userId, { featureCode, explain, usage: withUsage });
    // A copy: a caller may change its answer, and the next must not see that.
    const answer = structuredClone(await readCached(cache, settings, userId));
    if (featureCode === undefined) return answer;
    return { ...answer, entitlements: answer.entitlements.filter((one) => one.feature_code === featureCode) };
  };

  const can: BillingClient['can'] = async (userId, featureCode, { onUnavailable } = {}) => {
    requireIds({ user_id: userId, feature_code: featureCode });
    try {
      const answer =
        cache === null
          ? await readEntitlements(settings, userId, { featureCode })
          : await readCached(cache, settings, userId);
      return answer.entitlements.some((one) => one.feature_code === featureCode);
    } catch (error) {
      return answerInstead(settings, error, onUnavailable ?? settings.onUnavailable);
    }
  };

  const usage = createUsageCalls(settings);
  return {
    ...usage,
    ...createSubscriptionCalls(settings, cache),
    createRecorder: (recorderOptions) => createRecorder(usage, recorderOptions),
    entitlements,
    can,
    batch: (userIds) => readBatch(settings, userIds),
    createCheckout: (request, checkoutOptions) => createCheckout(settings, request, checkoutOptions),
    createPortalSession: (request) =>
      sendRequest(settings, {
        method: 'POST',
        path: 'portal/create-session',
        body: request,
        timeoutMs: settings.purchaseTimeoutMs,
        isAnswer: isPortalResponse,
      }),
    invoices: (userId, invoicesOptions) => listInvoices(settings, userId, invoicesOptions),
    confirmCustomer: (request) => confirmCustomer(settings, request, cache),
    forget: (userId) => cache?.forget(userId),
  };
}

let hasWarned = false;

/** Everybody who opens a page can copy its key, which reads of every user of the project. Once for a page. */
function warnInPages(): void {
  if (hasWarned || !('document' in globalThis)) return;
  hasWarned = true;
  globalThis.console.warn(
    'billing: this page holds an API key that everybody who opens it can copy. Ask your own backend instead; in tools of your staff use a key that may only read.',
  );
}

/** The full answer: one entry of the cache serves every feature of the user. */
const readCached = (
  cache: EntitlementCache,
  settings: Settings,
  userId: string,
): Promise<EntitlementsResponse> => cache.read(userId, () => readEntitlements(settings, userId));

/** What `can` answers in place of the service. Throws `error` if `choice` says so, or if it is no outage. */
function answerInstead(settings: Settings, error: unknown, choice: UnavailableAnswer): boolean {
  if (choice === 'throw' || !isUnavailable(error)) throw error;
  settings.onFallback(error);
  return choice === 'allow';
}

function readEntitlements(
  settings: Settings,
  userId: string,
  { featureCode, explain, usage }: EntitlementsOptions = {},
): Promise<EntitlementsResponse> {
  const query: Record<string, string> = { user_id: userId };
  if (featureCode !== undefined) query['feature_code'] = featureCode;
  if (explain === true) query['explain'] = 'true';
  if (usage === true) query['include'] = 'usage';
  return withRetries(settings.retries, () =>
    sendRequest(settings, {
      method: 'GET',
      path: 'entitlements',
      query,
      timeoutMs: settings.readTimeoutMs,
      // An answer about another user (from a shared proxy's cache, for example) is refused.
      isAnswer: (value): value is EntitlementsResponse =>
        isEntitlementsResponse(value) && value.user_id === userId,
    }),
  );
}

async function readBatch(settings: Settings, userIds: readonly string[]): Promise<BatchResponse> {
  requireIds(Object.fromEntries(userIds.map((userId, index) => [`user_ids.${index}`, userId])));
  return withRetries(settings.retries, () =>
    sendRequest(settings, {
      method: 'POST',
      path: 'entitlements/batch',
      body: { user_ids: userIds },
      timeoutMs: settings.readTimeoutMs,
      isAnswer: (value): value is BatchResponse =>
        isBatchResponse(value) &&
        value.results.length === userIds.length &&
        value.results.every((result, index) => result.user_id === userIds[index]),
    }),
  );
}

async function createCheckout(
  settings: Settings,
  request: CheckoutRequest,
  { idempotencyKey = createIdempotencyKey() }: CheckoutOptions = {},
): Promise<CheckoutResponse> {
  const problem = idempotencyKeyProblem(idempotencyKey);
  if (problem !== null) throw refusedHere([{ path: 'Idempotency-Key', message: problem }]);
  return withRetries(settings.retries, () =>
    sendRequest(settings, {
      method: 'POST',
      path: 'checkout/create',
      body: request,
      idempotencyKey,
      timeoutMs: settings.purchaseTimeoutMs,
      isAnswer: isCheckoutResponse,
    }),
  );
}

async function confirmCustomer(
  settings: Settings,
  request: ConfirmCustomerRequest,
  cache: EntitlementCache | null,
): Promise<ConfirmedCustomer> {
  const confirmed = await withRetries(settings.retries, () =>
    sendRequest(settings, {
      method: 'POST',
      path: 'customers/confirm',
      body: request,
      timeoutMs: settings.purchaseTimeoutMs,
      isAnswer: isConfirmedCustomer,
    }),
  );
  // It may grant what the policy had withheld.
  cache?.forget(request.user_id);
  return confirmed;
}
