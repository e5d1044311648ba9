import { itemsAfter, ServiceError } from '@billing/domain';
import type { Planned } from '@billing/sync';
import type { StepContext } from './stripe-step.ts';
import { changeLater, dropPendingChange } from './change-later.ts';
import { toChangeRefusal } from './change-refusals.ts';
import { changeNow } from './change-now.ts';
import { changesOthers, refuseOthersPlans } from './own-items.ts';
import { planChange } from './plan-change.ts';
import type { ItemsOrder, PlannedChange } from './plan-change.ts';
import { requirePreviewed } from './preview-change.ts';
import type { PreviewDeps } from './preview-change.ts';
import { readLive } from './read-live.ts';
import { refuseSecondByChange } from './refuse-second.ts';
import type { LiveSubscription } from './read-live.ts';

export type ChangeAsked = ItemsOrder & { previewToken: string | undefined };

/** What came of it. */
export type Changed = {
  plan: PlannedChange;
  live: LiveSubscription;
  /** The change waits for its payment. */
  isWaiting: boolean;
  /** Stripe's answer, if that was the subscription. */
  answer: unknown;
  /** What Stripe's other answers say; null: nothing. */
  planned: Planned | null;
};

type Bought = { stripePriceId: string; quantity: number | null };

const inOrder = (items: readonly Bought[]): string =>
  JSON.stringify(items.map(({ stripePriceId, quantity }) => `${stripePriceId} ${quantity ?? ''}`).sort());

/** Whether just this change waits for its payment already. */
function isWaitingAlready({ live, others, changes, effective }: PlannedChange): boolean {
  const waiting = live.pending_update?.subscription_items;
  if (waiting === null || waiting === undefined || effective !== 'now') return false;
  const wanted = [
    ...others.map(({ stripePriceId, quantity, usageType }) => ({
      stripePriceId,
      quantity: usageType === 'metered' ? null : quantity,
    })),
    ...itemsAfter(changes).map(({ stripePriceId, quantity, isMetered }) => ({
      stripePriceId,
      quantity: isMetered ? null : quantity,
    })),
  ];
  const planned = waiting.map(({ price, quantity }) => ({
    stripePriceId: price,
    quantity: quantity ?? null,
  }));
  return inOrder(wanted) === inOrder(planned);
}

/** The refusal of a change that waits for its payment. */
export function paymentRequired({ latestInvoice }: LiveSubscription): ServiceError {
  const hostedInvoiceUrl = latestInvoice?.hosted_invoice_url ?? undefined;
  return new ServiceError(
    'payment_required',
    'Send the user to hosted_invoice_url: the change is made once it is paid.',
    { hostedInvoiceUrl },
  );
}

async function changeFrom(
  deps: PreviewDeps,
  context: StepContext,
  { live, asked }: { live: LiveSubscription; asked: ChangeAsked },
): Promise<Changed> {
  const plan = await planChange(deps, live, asked);
  const unchanged = { plan, live, isWaiting: false, answer: null, planned: null };
  if (!plan.isChange) {
    const isTheirs = changesOthers(live, plan.others);
    return { ...unchanged, planned: isTheirs ? null : await dropPendingChange(deps, context, plan) };
  }
  if (isWaitingAlready(plan)) return { ...unchanged, isWaiting: true };
  refuseOthersPlans(live, plan.others);
  await refuseSecondByChange(deps, asked, plan);
  const token = asked.previewToken;
  const prorationDate =
    token === undefined ? null : await requirePreviewed(deps, { order: asked, plan, token }, context.budget);
  if (plan.effective === 'period_end') {
    return { ...unchanged, planned: await changeLater(deps, context, plan) };
  }
  const changed = await changeNow(deps, context, { plan, prorationDate });
  const waiting = changed.live.pending_update;
  return { ...unchanged, ...changed, isWaiting: waiting !== null && waiting !== undefined };
}

/**
 * Makes a change at Stripe, now or by a schedule. Where the subscription is already as it is wanted, it only gives up what is
 * pending; where just this change waits for its payment, nothing is asked again. So it may be asked for any number of times,
 * also at once: where Stripe refuses it and has changed meanwhile, it is decided again. Throws `not_changeable` where Stripe refuses
 * it for good.
 */
export async function changeAtStripe(
  deps: PreviewDeps,
  context: StepContext,
  asked: ChangeAsked,
): Promise<Changed> {
  const read = (): Promise<LiveSubscription> => readLive(deps, asked.subscriptionId, context.budget);
  const live = await read();
  try {
    return await changeFrom(deps, context, { live, asked });
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'stripe_error') throw error;
    const now = await read();
    if (JSON.stringify(now) === JSON.stringify(live)) throw toChangeRefusal(error, 'not_changeable');
    return changeFrom(deps, context, { live: now, asked }).catch((again: unknown) => {
      throw toChangeRefusal(again, 'not_changeable');
    });
  }
}
