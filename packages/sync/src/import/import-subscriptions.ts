import {
  fromStripeSeconds,
  isTerminal,
  resolveOwner,
  subscriptionSnapshot,
  unknownPrice,
} from '@billing/domain';
import type { ListedSubscription, Ownership } from '@billing/domain';
import type { EventState } from '@billing/store';
import type { Stripe } from 'stripe';
import { applySubscriptions, reapplySubscription } from './apply-subscription.ts';
import { eachPage } from './each-page.ts';
import type { PhaseDeps } from './import-deps.ts';
import { subscriptionKeys } from '../apply/state-keys.ts';
import { readState } from './import-scope.ts';
import type { Scope } from './import-scope.ts';
import { count, note } from './import-state.ts';

/** Brings in the subscriptions that live; those that are over grant nothing. */
export async function importSubscriptions(deps: PhaseDeps, scope: Scope): Promise<void> {
  await eachPage(deps, {
    what: 'subscriptions',
    list: (params) => deps.sync.stripe.subscriptions.list({ ...params, expand: ['data.latest_invoice'] }),
    handle: (page) => importPage(deps, scope, page),
  });
}

function read(deps: PhaseDeps, rendered: Stripe.Subscription): ListedSubscription[] {
  const parsed = subscriptionSnapshot.safeParse(rendered);
  if (!parsed.success) {
    note(deps.tally, 'subscriptions_not_understood', rendered.id);
    return [];
  }
  if (isTerminal(parsed.data.status)) return [];
  return [{ snapshot: parsed.data, createdAt: fromStripeSeconds(rendered.created) }];
}

async function importPage(deps: PhaseDeps, scope: Scope, page: Stripe.Subscription[]): Promise<void> {
  const live = page.flatMap((rendered) => read(deps, rendered));
  count(deps.tally, 'subscriptions_seen', live.length);
  const state = await readState(deps, scope, subscriptionKeys(live.map(({ snapshot }) => snapshot)));
  const ours = live.filter((listed) => isOurs(deps, { scope, listed, state }));
  const { changed, others } = await applySubscriptions(deps, state, ours);
  let rewritten = 0;
  for (const { snapshot } of others)
    if ((await reapplySubscription(deps, { scope, id: snapshot.id })) === 'changed') rewritten += 1;
  count(deps.tally, 'subscriptions_imported', changed + rewritten);
  count(deps.tally, 'subscriptions_there_already', ours.length - changed - rewritten);
}

/** Of this project by its owner, else by a price; notes what stays without a user or a feature. */
function isOurs(
  { tally, projectId }: PhaseDeps,
  { scope, listed: { snapshot }, state }: { scope: Scope; listed: ListedSubscription; state: EventState },
): boolean {
  const ownership: Ownership = resolveOwner(snapshot, state);
  const isSold = snapshot.items.some((item) => scope.stripePriceIds.has(item.stripePriceId));
  const isOurUsers = ownership.kind === 'owned' && ownership.owner.projectId === projectId;
  if (!isOurUsers && (ownership.kind === 'owned' || !isSold)) {
    count(tally, 'subscriptions_of_other_projects');
    return false;
  }
  if (ownership.kind === 'unknown')
    note(tally, 'subscriptions_without_user', `${snapshot.id} (${snapshot.customerId ?? 'no customer'})`);
  const missing = unknownPrice(snapshot.items, state.prices);
  if (missing !== null) note(tally, 'subscriptions_with_unmapped_price', `${snapshot.id} (${missing})`);
  return true;
}
