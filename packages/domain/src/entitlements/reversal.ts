import { gravestOf } from '../order/reversals.ts';
import type { AccessPolicy } from '../policy.ts';
import type { Cover } from '../stripe/invoice.ts';
import type { PaymentState, ReversedPayment, SubscriptionItemSource } from './sources.ts';

export type Reversal = 'refunded' | 'disputed';

const takenDisputes: ReadonlySet<string> = new Set(['needs_response', 'under_review', 'lost']);

/** A decimal number as an exact fraction: 0.07 is 7 / 100, which no binary fraction is. */
function fractionOf(decimal: number): { numerator: bigint; denominator: bigint } {
  const [digits = '0', exponent = '0'] = String(decimal).split('e');
  const [whole = '0', part = ''] = digits.split('.');
  const scale = part.length - Number(exponent);
  return { numerator: BigInt(whole + part), denominator: 10n ** BigInt(Math.max(0, scale)) };
}

/** Exact for every amount: in whole numbers, as doubles are too coarse for shares of large amounts. */
function reachesShare(part: bigint, whole: bigint, share: number): boolean {
  const { numerator, denominator } = fractionOf(share);
  return part * denominator >= whole * numerator;
}

type Reversed = { amount: number | null; refunded: bigint; disputeStatus: string | null };

function reversalBy({ amount, refunded, disputeStatus }: Reversed, policy: AccessPolicy): Reversal | null {
  const isRefunded =
    amount !== null &&
    refunded > 0n &&
    reachesShare(refunded, BigInt(amount), policy.partial_refund_threshold);
  if (isRefunded) return 'refunded';
  if (policy.dispute === 'ignore' || disputeStatus === null) return null;
  return takenDisputes.has(disputeStatus) ? 'disputed' : null;
}

/**
 * Whether refunds or a dispute take the access that was paid for. Stripe ("Disputes"): an open dispute
 * withholds the money and a lost one takes it; an inquiry (`warning_…`) moves no money and changes nothing. The
 * policy's threshold is a share of the amount, so an unknown amount is never refunded enough.
 */
export const reversalOf = (
  { amount, amountRefunded, disputeStatus }: PaymentState,
  policy: AccessPolicy,
): Reversal | null => reversalBy({ amount, refunded: BigInt(amountRefunded), disputeStatus }, policy);

/** Whether the line billed the item's current period: the item itself or its price, and all of the period. */
function coversItem(cover: Cover, item: SubscriptionItemSource): boolean {
  const { currentPeriodStart: start, currentPeriodEnd: end } = item;
  if (cover.itemId !== item.itemId && cover.stripePriceId !== item.stripePriceId) return false;
  return start !== null && end !== null && cover.periodStart <= start && cover.periodEnd >= end;
}

/**
 * The same for an item of a subscription: a refund or dispute counts for what its invoice paid for, and for
 * nothing else. Refunds add up over all payments of the invoice, against the invoice's total.
 */
export function reversalOfItem(
  item: SubscriptionItemSource,
  payments: readonly ReversedPayment[],
  policy: AccessPolicy,
): Reversal | null {
  const ofItem = payments.filter(({ covers }) => covers.some((one) => coversItem(one, item)));
  const reversals = [...new Set(ofItem.map((one) => one.invoiceId))].map((invoiceId) => {
    const paid = ofItem.filter((one) => one.invoiceId === invoiceId);
    return reversalBy(
      {
        amount: paid[0]?.amount ?? null,
        refunded: paid.reduce((sum, one) => sum + BigInt(one.amountRefunded), 0n),
        disputeStatus: gravestOf(paid.flatMap((one) => one.disputeStatus ?? [])),
      },
      policy,
    );
  });
  return reversals.includes('refunded') ? 'refunded' : (reversals.find((one) => one !== null) ?? null);
}
