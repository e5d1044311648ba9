import {
  describeRow,
  differences,
  fromStripeSeconds,
  reconcileSubscription,
  subscriptionSnapshot,
  unknownSubscription,
} from '@billing/domain';
import type { ListedSubscription } from '@billing/domain';
import type { EventState } from '@billing/store';
import { subscriptionKind } from '../apply/object-kinds.ts';
import { planWrite } from '../apply/plan-write.ts';
import type { WritePlan } from '../apply/plan-write.ts';
import { noKeys, subscriptionKeys } from '../apply/state-keys.ts';
import { writePlans } from '../apply/write-plans.ts';
import { readAll } from './each-page.ts';
import type { ImportDeps } from './import-deps.ts';
import { ImportError } from './import-error.ts';
import { readState } from './import-scope.ts';
import type { Scope } from './import-scope.ts';
import { readStripe } from './read-stripe.ts';

type Change = WritePlan & { listed: ListedSubscription; isNew: boolean };

/** What Stripe's subscription changes in our row, by the rule of reconciliation; null: nothing. */
function changeOf(state: EventState, listed: ListedSubscription): Change | null {
  const { id } = listed.snapshot;
  const stored = state.subscriptions.get(id);
  const before = stored?.row ?? unknownSubscription(id);
  const row = reconcileSubscription(before, listed);
  const plan = planWrite(subscriptionKind, { stored, row, state });
  const changes = differences(describeRow(before, stored?.owner ?? null), describeRow(row, plan.owner));
  if (stored !== undefined && changes.length === 0) return null;
  // A mapping that was committed while this was decided did not see the row.
  const awaited =
    plan.owner === null && row.customerId !== null
      ? { customerId: row.customerId, projectId: null, priceIds: [] }
      : null;
  return { ...plan, awaited, listed, isNew: stored === undefined };
}

/**
 * Writes a listed page. A subscription that has a row already may have been changed by an event after Stripe made the
 * list: where it differs, it is returned in `others`, for `reapplySubscription`.
 */
export async function applySubscriptions(
  deps: ImportDeps,
  state: EventState,
  listed: readonly ListedSubscription[],
): Promise<{ changed: number; others: ListedSubscription[] }> {
  const changes = listed.flatMap((one) => changeOf(state, one) ?? []);
  if (deps.isDryRun) return { changed: changes.length, others: [] };
  const whole = changes.filter((one) => one.isNew && one.listed.snapshot.areItemsComplete);
  const written = new Set(await writePlans(deps.sync, whole));
  return {
    changed: written.size,
    others: changes.filter((one) => !written.has(one)).map((one) => one.listed),
  };
}

const maxRounds = 10;

/** Looks one subscription up at Stripe; the row version, read before, protects newer events. Throws ImportError. */
export async function reapplySubscription(
  deps: ImportDeps,
  { scope, id }: { scope: Scope; id: string },
): Promise<'changed' | 'unchanged'> {
  for (let round = 0; round < maxRounds; round += 1) {
    const before = await readState(deps, scope, { ...noKeys, subscriptionIds: [id] });
    const listed = await lookupWhole(deps, id);
    const state = await readState(deps, scope, subscriptionKeys([listed.snapshot]));
    if (rowVersionOf(before, id) !== rowVersionOf(state, id)) continue;
    const change = changeOf(state, listed);
    if (change === null) return 'unchanged';
    if ((await writePlans(deps.sync, [change])).length > 0) return 'changed';
  }
  throw new ImportError(`The subscription ${id} keeps changing. Run the same command again.`);
}

const rowVersionOf = (state: EventState, id: string): number =>
  state.subscriptions.get(id)?.row.rowVersion ?? 0;

async function lookupWhole(deps: ImportDeps, id: string): Promise<ListedSubscription> {
  const { stripe } = deps.sync;
  const rendered = await readStripe(deps, () =>
    stripe.subscriptions.retrieve(id, { expand: ['latest_invoice'] }),
  );
  const items = rendered.items.has_more
    ? await readAll(deps, (params) => stripe.subscriptionItems.list({ ...params, subscription: id }))
    : rendered.items.data;
  const snapshot = subscriptionSnapshot.parse({ ...rendered, items: { data: items, has_more: false } });
  return { snapshot, createdAt: fromStripeSeconds(rendered.created) };
}
