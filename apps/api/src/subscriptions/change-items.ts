import { ServiceError } from '@billing/domain';
import type { SubscriptionOut, WantedChange } from '@billing/domain';
import { auditSubscription, readPlans, readSubscription } from '@billing/store';
import type { Actor, ProjectSubscription } from '@billing/store';
import { applyChanged } from '@billing/sync';
import { refusalOf } from '../checkout/stripe-refusals.ts';
import type { AppDeps } from '../deps.ts';
import { dropPendingChange } from './change-later.ts';
import { lookupMs, runOnce } from './change-once.ts';
import { changeAtStripe, paymentRequired } from './change-at-stripe.ts';
import type { Changed } from './change-at-stripe.ts';
import { findSubscription } from './find-subscription.ts';
import type { SubscriptionKey } from './find-subscription.ts';
import { refuseOthersPlans, splitItems } from './own-items.ts';
import { presentSubscription } from './present-subscription.ts';
import { readLive } from './read-live.ts';
import type { LiveSubscription } from './read-live.ts';

/** Of a project that asks. `header`: the value of `Idempotency-Key`, if one was sent. */
type Asker = SubscriptionKey & { actor: Actor; header: string | undefined };

type Done = {
  subscription: ProjectSubscription;
  asker: Asker;
  action: `subscription.${string}`;
  details: object;
} & Pick<Changed, 'answer' | 'planned'>;

/** Records who asked, and brings our row to what Stripe has now. */
async function recordAndApply(
  deps: AppDeps,
  { subscription, asker, action, details, answer, planned }: Done,
): Promise<SubscriptionOut> {
  const { actor, projectId, subscriptionId: id } = asker;
  await auditSubscription(deps.database, { actor, action, projectId, subscription, details: { ...details } });
  await applyChanged(deps, { id, answer, planned, lookupMs });
  // Where others' items are left, it is this project's no more.
  const left = { ...subscription, items: [], pendingChange: null, pendingPayment: null };
  return presentSubscription((await readSubscription(deps.database, asker)) ?? left);
}

const detailsOf = (wanted: WantedChange, { plan, isWaiting }: Changed): object => ({
  items: wanted.items,
  effective: plan.effective,
  waits_for_payment: isWaiting,
});

/** Changes what a subscription has of the project's. Throws `payment_required` where the change waits for its payment. */
export function changeItems(
  deps: AppDeps,
  asker: Asker,
  { wanted, previewToken }: { wanted: WantedChange; previewToken: string | undefined },
): Promise<SubscriptionOut> {
  const { projectId, subscriptionId, header } = asker;
  const action = 'subscription.change';
  const body = { ...wanted, preview_token: previewToken };
  return runOnce(deps, { order: { ...asker, action, body }, header }, async (once) => {
    const subscription = await findSubscription(deps, asker);
    const { userId } = subscription;
    const asked = { projectId, subscriptionId, userId, wanted, previewToken };
    const changed = await changeAtStripe(deps, { ...once, userId }, asked);
    const details = detailsOf(wanted, changed);
    const { answer, planned } = changed;
    const done = { subscription, asker, action, details, answer, planned } as const;
    const shown = await recordAndApply(deps, done);
    if (changed.isWaiting) throw paymentRequired(changed.live);
    return shown;
  });
}

/** Throws `shared_subscription` where what is pending changes what other projects sell. */
async function refuseToDropOthers(
  { database }: AppDeps,
  { projectId }: SubscriptionKey,
  live: LiveSubscription,
): Promise<void> {
  const items = live.items.data;
  const { sold } = await readPlans(database, { projectId, prices: [], items });
  refuseOthersPlans(live, splitItems(items, { projectId, sold }).others);
}

/**
 * Gives up what a subscription was to become, later or once it is paid. Throws `no_pending_change`, and `shared_subscription` where
 * that is another project's.
 */
export function dropChange(deps: AppDeps, asker: Asker): Promise<SubscriptionOut> {
  const { subscriptionId, header } = asker;
  const action = 'subscription.drop_change';
  return runOnce(deps, { order: { ...asker, action, body: {} }, header }, async (once) => {
    const subscription = await findSubscription(deps, asker);
    const live = await readLive(deps, subscriptionId, once.budget);
    const context = { ...once, userId: subscription.userId };
    await refuseToDropOthers(deps, asker, live);
    const planned = await dropPendingChange(deps, context, { live }).catch(async (error: unknown) => {
      if (refusalOf(error) === null) throw error;
      // It was paid or made meanwhile, or given up by somebody else.
      const now = await readLive(deps, subscriptionId, once.budget);
      return dropPendingChange(deps, context, { live: now });
    });
    if (planned === null)
      throw new ServiceError('no_pending_change', 'Nothing is left to do: the subscription stays as it is.');
    return recordAndApply(deps, { subscription, asker, action, details: {}, answer: null, planned });
  });
}
