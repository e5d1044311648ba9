import type { Claims, Instant } from '@billing/domain';
import { findNaming } from '@billing/store';
import type { EventState, SearchedPage, StateKeys } from '@billing/store';
import { noKeys } from '../apply/decide-events.ts';
import { purchaseKind, subscriptionKind } from '../apply/object-kinds.ts';
import type { ObjectKind, ObjectRow } from '../apply/object-kinds.ts';
import { planWrite } from '../apply/plan-write.ts';
import type { WritePlan } from '../apply/plan-write.ts';
import { readState } from '../apply/read-state.ts';
import { writePlans } from '../apply/write-plans.ts';
import type { SyncDeps } from '../deps.ts';

/** `createdAt`: null where the object may be newer than the erasure. */
type Named = { ids: readonly string[]; state: EventState; createdAt: Instant | null };

/** Without what they say of erased users; those that say nothing of them are left. */
function planClean<Row extends ObjectRow & { claims: Claims }, Found>(
  kind: ObjectKind<Row, Found>,
  { ids, state, createdAt }: Named,
): WritePlan[] {
  return ids.flatMap((id) => {
    const stored = kind.stored(state, id);
    if (stored === undefined) return [];
    const plan = planWrite(kind, { stored, row: stored.row, state, createdAt });
    const after = plan.outcome !== null && 'row' in plan.outcome ? plan.outcome.row : stored.row;
    return JSON.stringify(after) === JSON.stringify(stored.row) ? [] : [plan];
  });
}

const plansOf = (table: 'subscriptions' | 'purchases', named: Named): WritePlan[] =>
  table === 'subscriptions' ? planClean(subscriptionKind, named) : planClean(purchaseKind, named);

/**
 * Takes erased users out of what objects of others say: a page of a table. An object that changed meanwhile is looked at
 * again with the same page.
 */
export async function takeOutClaims(
  deps: SyncDeps,
  table: 'subscriptions' | 'purchases',
  search: { userId: string; projectId: string; erasedAt: Date; after: string },
): Promise<SearchedPage> {
  const { older, later, ...page } = await findNaming(deps.database, table, search);
  const ids = [...older, ...later];
  if (ids.length === 0) return page;
  const keys: StateKeys = { ...noKeys, userIds: [search.userId], projectIds: [search.projectId] };
  const objects = table === 'subscriptions' ? { subscriptionIds: ids } : { purchaseIds: ids };
  const state = await readState(deps, { ...keys, ...objects });
  const plans = [
    ...plansOf(table, { ids: older, state, createdAt: 0 }),
    ...plansOf(table, { ids: later, state, createdAt: null }),
  ];
  const written = await writePlans(deps, plans);
  return written.length < plans.length ? { isLast: false, after: search.after } : page;
}
