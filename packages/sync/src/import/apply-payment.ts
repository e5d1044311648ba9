import { describeRow, differences } from '@billing/domain';
import type { EventState, Outcome } from '@billing/store';
import { acceptEvent } from '../apply/accept-event.ts';
import type { Group } from '../apply/decide-group.ts';
import { decideUntilWritten } from '../apply/decide-until-written.ts';
import type { WritePlan } from '../apply/plan-write.ts';
import { keyOf } from '../apply/target.ts';
import type { QueuedEvent } from '../apply/target.ts';
import { writePlans } from '../apply/write-plans.ts';
import { inBackground } from '../stripe/in-background.ts';
import type { ImportDeps, PhaseDeps } from './import-deps.ts';
import { readState } from './import-scope.ts';
import type { Scope } from './import-scope.ts';
import { count, note } from './import-state.ts';
import { isImportedEvent } from './payment-events.ts';
import type { ImportedEvent } from './payment-events.ts';

/** The imported events of one payment, grouped by the object that they are about: the purchase. */
function groupsOf({ sync }: ImportDeps, events: readonly ImportedEvent[]): Group[] {
  const groups = new Map<string, [QueuedEvent, ...QueuedEvent[]]>();
  for (const raw of events) {
    const queued = acceptEvent({ raw, receivedAt: sync.clock() }, sync);
    if (queued === null || queued.target.kind === 'none') continue;
    const known = groups.get(keyOf(queued));
    if (known === undefined) groups.set(keyOf(queued), [queued]);
    else known.push(queued);
  }
  return [...groups].map(([key, queued]) => ({ key, events: queued }));
}

type Purchase = Extract<Outcome, { kind: 'purchase' }>;

/** Applies a payment by the rules of events, without the ledger. Throws ContentionError. */
export async function applyPayment(
  deps: PhaseDeps,
  scope: Scope,
  { name, events }: { name: string; events: readonly ImportedEvent[] },
): Promise<void> {
  for (const group of groupsOf(deps, events)) {
    const { result, purchase } = await applyGroup(deps, scope, group);
    count(deps.tally, result);
    if (purchase !== null && purchase.owner === null && result !== 'payments_of_other_projects')
      note(deps.tally, 'payments_without_user', `${name} (${purchase.row.customerId ?? 'no customer'})`);
  }
}

type Result =
  | 'payments_imported'
  | 'payments_there_already'
  | 'payments_of_other_projects'
  | 'payments_that_bought_nothing';
type Applied = { result: Result; purchase: Purchase | null };

/** Why a purchase need not be written; null: it must be. */
function reasonToSkip(deps: ImportDeps, purchase: Purchase, state: EventState): Result | null {
  const { owner, row } = purchase;
  if (owner !== null && owner.projectId !== deps.projectId) return 'payments_of_other_projects';
  if (row.items.length === 0) return 'payments_that_bought_nothing';
  const stored = state.purchases.get(row.id);
  const isKnown =
    stored !== undefined &&
    differences(describeRow(stored.row, stored.owner), describeRow(row, owner)).length === 0;
  return isKnown ? 'payments_there_already' : null;
}

/** Stripe sent none of these events: they get no ledger row, and the purchase names none of them. */
function withoutEvents(plan: WritePlan, purchase: Purchase): WritePlan {
  const { row } = purchase;
  const snapshotEventId = isImportedEvent(row.snapshotEventId) ? null : row.snapshotEventId;
  return { ...plan, outcome: { ...purchase, events: [], row: { ...row, snapshotEventId } } };
}

const applyGroup = (deps: ImportDeps, scope: Scope, group: Group): Promise<Applied> =>
  decideUntilWritten<Applied>(deps.sync, group, {
    readState: (keys) => readState(deps, scope, keys),
    lookupDeps: inBackground(deps.sync),
    write: async (plan, state) => {
      const purchase = plan.outcome;
      if (purchase?.kind !== 'purchase') return { result: 'payments_that_bought_nothing', purchase: null };
      const skipped = reasonToSkip(deps, purchase, state);
      if (skipped !== null) return { result: skipped, purchase };
      if (deps.isDryRun) {
        if (purchase.row.sessionId !== null) scope.plannedSessionPayments.add(purchase.row.id);
        return { result: 'payments_imported', purchase };
      }
      const written = await writePlans(deps.sync, [withoutEvents(plan, purchase)]);
      return written.length > 0 ? { result: 'payments_imported', purchase } : null;
    },
  });
