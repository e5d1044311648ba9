import {
  describeRow,
  differences,
  fromStripeSeconds,
  reconcileSubscription,
  resolveOwner,
  subscriptionSnapshot,
  unknownSubscription,
} from '@billing/domain';
import type { ListedSubscription, Owner, SubscriptionRow } from '@billing/domain';
import {
  releaseForCustomer,
  objectKeyOf,
  retryOnDeadlock,
  publishInvalidations,
  writeOutcomes,
} from '@billing/store';
import type { EventState, Outcome } from '@billing/store';
import { namesOf } from '../apply/decide-object.ts';
import { releaseEvents } from '../apply/after-commit.ts';
import { subscriptionKind } from '../apply/object-kinds.ts';
import { readAll } from './each-page.ts';
import type { ImportDeps } from './import-deps.ts';
import { ImportError } from './import-error.ts';
import { keysOfSubscriptions } from './import-scope.ts';
import { readState } from './import-scope.ts';
import type { Scope } from './import-scope.ts';
import { readStripe } from './read-stripe.ts';

type Decided = {
  listed: ListedSubscription;
  isNew: boolean;
  outcome: Outcome;
  row: SubscriptionRow;
  isNewlyOwned: boolean;
  isOwned: boolean;
};

/** What Stripe's rendering makes of the row, by the rule of reconciliation; null: it says nothing new. */
function decide(state: EventState, listed: ListedSubscription): Decided | null {
  const { id } = listed.snapshot;
  const held = state.subscriptions.get(id);
  const before = held?.row ?? unknownSubscription(id);
  const row = reconcileSubscription(before, listed);
  const ownership = resolveOwner(row, state);
  const previous = held?.owner ?? null;
  const owner = ownership.kind === 'owned' ? ownership.owner : previous;
  const changes = differences(describeRow(before, previous), describeRow(row, owner));
  if (held !== undefined && changes.length === 0) return null;
  const hasMoved = owner?.ref !== previous?.ref;
  const changesEntitlements =
    hasMoved || subscriptionKind.entitlementInputs(before) !== subscriptionKind.entitlementInputs(row);
  const outcome = subscriptionKind.outcome({
    row,
    hasNewItems: subscriptionKind.itemsOf(before) !== subscriptionKind.itemsOf(row),
    owner,
    bumps: changesEntitlements ? storedRefs([owner, previous]) : [],
    events: [],
  });
  const isNewlyOwned = held !== undefined && previous === null && owner !== null;
  return { listed, isNew: held === undefined, outcome, row, isNewlyOwned, isOwned: owner !== null };
}

const storedRefs = (owners: readonly (Owner | null)[]): number[] => [
  ...new Set(owners.flatMap((owner) => owner?.ref ?? [])),
];

/** Writes what was decided; the answer has the keys of the objects that were not changed by others meanwhile. */
async function write({ worker }: ImportDeps, decided: readonly Decided[]): Promise<ReadonlySet<string>> {
  if (decided.length === 0) return new Set();
  const { written, pending } = await writeOutcomes(
    worker.database,
    decided.map(({ outcome }) => outcome),
  );
  await publishInvalidations(worker, pending);
  for (const { row, isNewlyOwned, isOwned } of decided) {
    if (isNewlyOwned) await releaseEvents(worker, namesOf(row));
    // A mapping that came while this was decided did not see the row.
    if (!isOwned && row.customerId !== null) await releaseLate(worker, row.customerId);
  }
  return written;
}

async function releaseLate(worker: ImportDeps['worker'], customerId: string): Promise<void> {
  const { pending } = await retryOnDeadlock(() =>
    worker.database.$transaction((tx) => releaseForCustomer(tx, customerId)),
  );
  await publishInvalidations(worker, pending);
}

/**
 * Writes a listed page. A subscription that has a row already may have been changed by an event after Stripe
 * made the list: where the list differs from it, it is left to `rereadSubscription`.
 */
export async function applySubscriptions(
  deps: ImportDeps,
  state: EventState,
  listed: readonly ListedSubscription[],
): Promise<{ changed: number; unsettled: ListedSubscription[] }> {
  const decided = listed.flatMap((one) => decide(state, one) ?? []);
  const whole = decided.filter((one) => one.isNew && one.listed.snapshot.areItemsComplete);
  const others = decided.filter((one) => !whole.includes(one));
  if (deps.isDryRun) return { changed: decided.length, unsettled: [] };
  const written = await write(deps, whole);
  const isHeld = ({ outcome }: Decided): boolean => written.has(objectKeyOf(outcome) ?? '');
  const lost = whole.filter((one) => !isHeld(one));
  return { changed: whole.length - lost.length, unsettled: [...others, ...lost].map((one) => one.listed) };
}

const maxRounds = 10;

/** Reads one subscription from Stripe; the row's rowVersion, read before, keeps a slow answer from beating an event. */
export async function rereadSubscription(
  deps: ImportDeps,
  { scope, id }: { scope: Scope; id: string },
): Promise<'changed' | 'unchanged'> {
  for (let round = 0; round < maxRounds; round += 1) {
    const before = await readState(deps, scope, { ...keysOfSubscriptions([]), subscriptionIds: [id] });
    const listed = await readWhole(deps, id);
    const state = await readState(deps, scope, { ...keysOfSubscriptions([listed]), subscriptionIds: [id] });
    if (rowVersionOf(before, id) !== rowVersionOf(state, id)) continue;
    const decided = decide(state, listed);
    if (decided === null) return 'unchanged';
    if ((await write(deps, [decided])).size > 0) return 'changed';
  }
  throw new ImportError(`The subscription ${id} keeps changing. Run the same command again.`);
}

const rowVersionOf = (state: EventState, id: string): number =>
  state.subscriptions.get(id)?.row.rowVersion ?? 0;

async function readWhole(deps: ImportDeps, id: string): Promise<ListedSubscription> {
  const { stripe } = deps.worker;
  const rendered = await readStripe(deps, () =>
    stripe.subscriptions.retrieve(id, { expand: ['latest_invoice'] }),
  );
  const items = rendered.items.has_more
    ? await readAll(deps, (params) => stripe.subscriptionItems.list({ ...params, subscription: id }))
    : rendered.items.data;
  const snapshot = subscriptionSnapshot.parse({ ...rendered, items: { data: items, has_more: false } });
  return { snapshot, createdAt: fromStripeSeconds(rendered.created) };
}
