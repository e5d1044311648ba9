import { fromStripeSeconds, toTimestamp } from '@billing/domain';
import type { ChangePreview, Instant } from '@billing/domain';
import type { StripeBudget } from '../checkout/call-stripe.ts';
import { refusalOf } from '../checkout/stripe-refusals.ts';
import type { AppDeps } from '../deps.ts';
import { outdated, toChangeRefusal } from './change-refusals.ts';
import { refuseOthersPlans } from './own-items.ts';
import { planChange } from './plan-change.ts';
import type { ItemsOrder, PlannedChange } from './plan-change.ts';
import { readAmounts } from './preview-amounts.ts';
import type { Amounts } from './preview-amounts.ts';
import { digestOf, openPreview, previewMs, sealPreview } from './preview-token.ts';
import type { Shown } from './preview-token.ts';
import { readLive } from './read-live.ts';
import { refuseSecondByChange } from './refuse-second.ts';

export type PreviewDeps = Pick<AppDeps, 'database' | 'stripe' | 'logger' | 'clock' | 'config'>;

/** What a token stands for. The next invoice is left out where usage makes it another one at any moment. */
function shownBy({ projectId, subscriptionId }: ItemsOrder, plan: PlannedChange, amounts: Amounts): Shown {
  const { items, effective, proration, live } = plan;
  const isMetered = live.items.data.some(({ usageType }) => usageType === 'metered');
  const next = isMetered ? null : (amounts.next_invoice?.amount ?? null);
  return {
    projectId,
    subscriptionId,
    change: [items, effective, proration],
    amounts: [amounts.due_now, amounts.credit, amounts.currency, next],
  };
}

const effectiveAt = ({ effective, isChange, periodEnd }: PlannedChange, now: Instant): Instant =>
  effective === 'now' || !isChange ? now : fromStripeSeconds(periodEnd);

/** What a change would cost and when it would be made, with a token that holds the service to it. */
export async function previewChange(
  deps: PreviewDeps,
  order: ItemsOrder,
  budget: StripeBudget,
): Promise<ChangePreview> {
  const live = await readLive(deps, order.subscriptionId, budget);
  const plan = await planChange(deps, live, order);
  if (plan.isChange) {
    refuseOthersPlans(live, plan.others);
    await refuseSecondByChange(deps, order, plan);
  }
  const { prorationDate, ...amounts } = await readAmounts(deps, { plan, prorationDate: null }, budget).catch(
    (error: unknown) => {
      throw toChangeRefusal(error, 'not_changeable');
    },
  );
  const now = deps.clock();
  const expiresAt = now + previewMs;
  const shown = shownBy(order, plan, { ...amounts, prorationDate });
  return {
    ...amounts,
    effective_at: toTimestamp(
      prorationDate === null || plan.effective !== 'now'
        ? effectiveAt(plan, now)
        : fromStripeSeconds(prorationDate),
    ),
    preview_token: sealPreview(deps.config.stripeSecretKey, { shown, prorationDate, expiresAt }),
    expires_at: toTimestamp(expiresAt),
  };
}

/**
 * The second from which the preview of a token prorated; null: it did not. Throws `preview_outdated` where the token has
 * expired, is of another change, or stands for another amount than Stripe's preview of this moment.
 */
export async function requirePreviewed(
  deps: PreviewDeps,
  { order, plan, token }: { order: ItemsOrder; plan: PlannedChange; token: string },
  budget: StripeBudget,
): Promise<number | null> {
  const opened = openPreview(deps.config.stripeSecretKey, token, deps.clock());
  if (opened === null) throw outdated();
  const { prorationDate } = opened;
  const amounts = await readAmounts(deps, { plan, prorationDate }, budget).catch((error: unknown) => {
    // A renewal came in between: its second lies in a period that is over.
    throw refusalOf(error) === null ? error : outdated(error);
  });
  if (digestOf(shownBy(order, plan, amounts)) !== opened.shown) throw outdated();
  return prorationDate;
}
