import { defaultPolicy } from '../policy.ts';
import type { AccessPolicy } from '../policy.ts';
import { dayMs, hourMs } from '../time.ts';
import type { EvaluationContext } from './evaluate.ts';
import type {
  GrantSource,
  PaymentState,
  PurchaseItemSource,
  PurchaseSource,
  ReversedPayment,
  SubscriptionItemSource,
  SubscriptionSource,
} from './sources.ts';

export const now = Date.UTC(2026, 10, 22, 10);
export const periodStart = now - 10 * dayMs;
export const periodEnd = now + 20 * dayMs;
export const allowanceMs = 24 * hourMs;

export const contextOf = (policy: Partial<AccessPolicy> = {}, at = now): EvaluationContext => ({
  policy: { ...defaultPolicy, ...policy },
  now: at,
  renewalAllowanceMs: allowanceMs,
});

export const anItem = (fields: Partial<SubscriptionItemSource> = {}): SubscriptionItemSource => ({
  itemId: 'si_1',
  stripePriceId: 'price_1',
  quantity: 1,
  currentPeriodStart: periodStart,
  currentPeriodEnd: periodEnd,
  featureCodes: ['f'],
  ...fields,
});

export const aSubscription = (fields: Partial<SubscriptionSource> = {}): SubscriptionSource => ({
  id: 'sub_1',
  status: 'active',
  cancelAt: null,
  cancelAtPeriodEnd: false,
  endedAt: null,
  trialEnd: null,
  startDate: null,
  collectionPaused: false,
  pastDueSince: null,
  reversedPayments: [],
  confirmed: true,
  items: [anItem()],
  lastEvent: null,
  ...fields,
});

export const aPayment = (fields: Partial<PaymentState> = {}): PaymentState => ({
  amount: 1000,
  amountRefunded: 0,
  disputeStatus: null,
  ...fields,
});

/** Of an invoice that covers the item's current period. */
export const aReversedPayment = (fields: Partial<ReversedPayment> = {}): ReversedPayment => ({
  ...aPayment(),
  invoiceId: 'in_1',
  covers: [{ itemId: 'si_1', stripePriceId: 'price_1', periodStart, periodEnd }],
  ...fields,
});

export const aBoughtItem = (fields: Partial<PurchaseItemSource> = {}): PurchaseItemSource => ({
  stripePriceId: 'price_2',
  quantity: 1,
  productId: 'product_2',
  featureCodes: ['f'],
  accessDays: null,
  ...fields,
});

export const aPurchase = (fields: Partial<PurchaseSource> = {}): PurchaseSource => ({
  id: 'pi_1',
  status: 'paid',
  paidAt: now - dayMs,
  payment: aPayment(),
  confirmed: true,
  items: [aBoughtItem()],
  lastEvent: null,
  ...fields,
});

export const aGrant = (fields: Partial<GrantSource> = {}): GrantSource => ({
  id: 'grant_1',
  featureCode: 'f',
  validFrom: now - dayMs,
  validTo: null,
  revokedAt: null,
  ...fields,
});
