import {
  fromStripeSeconds,
  isTerminal,
  lacksDetails,
  reconcileSubscription,
  resolveOwners,
  subscriptionSnapshot,
  unknownPrice,
  unknownSubscription,
} from '@billing/domain';
import type { ListedSubscription } from '@billing/domain';
import type { EventState } from '@billing/store';
import type { Stripe } from 'stripe';
import { subscriptionKind } from '../apply/object-kinds.ts';
import { changedFields, planWrite } from '../apply/plan-write.ts';
import type { WritePlan } from '../apply/plan-write.ts';
import { noKeys, subscriptionKeys } from '../apply/decide-events.ts';
import { writePlans } from '../apply/write-plans.ts';
import { eachPage, readAll } from './each-page.ts';
import { ImportError } from './import-deps.ts';
import type { ImportDeps, PhaseDeps } from './import-deps.ts';
import { keepPlanned, readState } from './import-scope.ts';
import type { Scope } from './import-scope.ts';
import { count, note } from './import-state.ts';
import { readStripe, unlessRefused } from './read-stripe.ts';

/** Imports the subscriptions that have not ended; the others grant nothing. */
export async function importSubscriptions(deps: PhaseDeps, scope: Scope): Promise<void> {
  await eachPage(deps, {
    what: 'subscriptions',
    list: (params) =>
      deps.sync.stripe.subscriptions.list({
        ...params,
        expand: ['data.latest_invoice', 'data.schedule', 'data.discounts.source.coupon'],
      }),
    handle: (page) => importPage(deps, scope, page),
  });
}

async function importPage(deps: PhaseDeps, scope: Scope, page: Stripe.Subscription[]): Promise<void> {
  const live = page.flatMap((rendered) => toListed(deps, rendered));
  count(deps.tally, 'subscriptions_seen', live.length);
  const state = await readState(deps, scope, subscriptionKeys(live.map(({ snapshot }) => snapshot)));
  const ours = live.filter((listed) => isOurs(deps, { scope, listed, state }));
  const changed = await applyListed(deps, { scope, state, listed: ours });
  count(deps.tally, 'subscriptions_imported', changed);
  count(deps.tally, 'subscriptions_there_already', ours.length - changed);
}

function toListed(deps: PhaseDeps, rendered: Stripe.Subscription): ListedSubscription[] {
  const parsed = subscriptionSnapshot.safeParse(rendered);
  if (!parsed.success) {
    note(deps.tally, 'subscriptions_not_understood', rendered.id);
    return [];
  }
  if (isTerminal(parsed.data.status)) return [];
  const createdAt = fromStripeSeconds(rendered.created);
  return [{ snapshot: parsed.data, createdAt, readAt: deps.sync.clock() }];
}

/** Of this project by its owner, a price or its metadata; notes what stays without a feature. */
function isOurs(
  { tally, projectId }: PhaseDeps,
  { scope, listed: { snapshot }, state }: { scope: Scope; listed: ListedSubscription; state: EventState },
): boolean {
  const { owners } = resolveOwners(snapshot, state);
  const isSold = snapshot.items.some((item) => scope.stripePriceIds.has(item.stripePriceId));
  const isOurUsers = owners.some(({ owner }) => owner.projectId === projectId);
  const isNamed = snapshot.claims.projectId === projectId;
  if (!isOurUsers && !isSold && !isNamed) {
    count(tally, 'subscriptions_of_other_projects');
    return false;
  }
  const missing = unknownPrice(snapshot.items, state);
  if (missing !== null) note(tally, 'subscriptions_with_unmapped_price', `${snapshot.id} (${missing})`);
  return true;
}

type Change = WritePlan & { listed: ListedSubscription; isNew: boolean };

/** What Stripe's subscription changes in our row, by the rule of reconciliation; null: nothing. */
function changeOf(state: EventState, listed: ListedSubscription): Change | null {
  const { id } = listed.snapshot;
  const stored = state.subscriptions.get(id);
  const row = reconcileSubscription(stored?.row ?? unknownSubscription(id), listed);
  const plan = planWrite(subscriptionKind, { stored, row, state, createdAt: listed.snapshot.createdAt });
  if (changedFields(plan, state).length === 0) return null;
  // A mapping that was committed while this was decided did not see the row.
  const review = plan.owner === null ? subscriptionKind.key(id) : plan.review;
  return { ...plan, review, listed, isNew: stored === undefined };
}

/**
 * Writes a listed page; returns how many subscriptions changed. One that has a row already may have been changed by an
 * event after Stripe made the list: where it differs it is looked up again.
 */
async function applyListed(
  deps: ImportDeps,
  { scope, state, listed }: { scope: Scope; state: EventState; listed: readonly ListedSubscription[] },
): Promise<number> {
  const changes = listed.flatMap((one) => changeOf(state, one) ?? []);
  if (deps.isDryRun) {
    for (const plan of changes) keepPlanned(scope, plan);
    return changes.length;
  }
  const whole = changes.filter((one) => one.isNew && isWhole(one.listed));
  const written = new Set(await writePlans(deps.sync, whole, 'import'));
  let changed = written.size;
  for (const one of changes)
    if (!written.has(one) && (await applyLookedUp(deps, scope, one.listed.snapshot.id))) changed += 1;
  return changed;
}

const isWhole = ({ snapshot }: ListedSubscription): boolean =>
  snapshot.areItemsComplete && !lacksDetails(snapshot);

/** Imports subscriptions that only their sessions name as the project's. Throws ImportError. */
export async function importNamed(deps: PhaseDeps, scope: Scope, ids: readonly string[]): Promise<void> {
  for (const id of new Set(ids)) {
    const listed = await lookupWhole(deps, id);
    if (listed === null || isTerminal(listed.snapshot.status)) continue;
    const state = await readState(deps, scope, subscriptionKeys([listed.snapshot]));
    count(deps.tally, 'subscriptions_imported', await applyListed(deps, { scope, state, listed: [listed] }));
  }
}

const maxRounds = 10;

/**
 * Looks one subscription up at Stripe and writes it; the row version, read before, protects newer events. Returns
 * whether it changed. Throws ImportError.
 */
async function applyLookedUp(deps: ImportDeps, scope: Scope, id: string): Promise<boolean> {
  for (let round = 0; round < maxRounds; round += 1) {
    const before = await readState(deps, scope, { ...noKeys, subscriptionIds: [id] });
    const listed = await lookupWhole(deps, id);
    if (listed === null) return false;
    const state = await readState(deps, scope, subscriptionKeys([listed.snapshot]));
    if (rowVersionOf(before, id) !== rowVersionOf(state, id)) continue;
    const change = changeOf(state, listed);
    if (change === null) return false;
    if ((await writePlans(deps.sync, [change], 'import')).length > 0) return true;
  }
  throw new ImportError(`The subscription ${id} keeps changing. Run the same command again.`);
}

const rowVersionOf = (state: EventState, id: string): number =>
  state.subscriptions.get(id)?.row.rowVersion ?? 0;

/** Null: Stripe does not have it. */
async function lookupWhole(deps: ImportDeps, id: string): Promise<ListedSubscription | null> {
  const { stripe } = deps.sync;
  const rendered = await readStripe(deps, () =>
    unlessRefused(
      ({ code }) => code === 'resource_missing',
      () => stripe.subscriptions.retrieve(id, { expand: ['latest_invoice', 'schedule'] }),
    ),
  );
  if (rendered === null) return null;
  const items = rendered.items.has_more
    ? await readAll(deps, (params) => stripe.subscriptionItems.list({ ...params, subscription: id }))
    : rendered.items.data;
  const snapshot = subscriptionSnapshot.parse({ ...rendered, items: { data: items, has_more: false } });
  return { snapshot, createdAt: fromStripeSeconds(rendered.created), readAt: deps.sync.clock() };
}
