import { describeRow, differences } from '@billing/domain';
import type { Owner, PurchaseRow } from '@billing/domain';
import { writeOutcomes } from '@billing/store';
import type { EventState, Outcome } from '@billing/store';
import { acceptEvent } from '../apply/accept-event.ts';
import { decideGroup, rowVersionOf, keysOf, lookupForGroup } from '../apply/decide-group.ts';
import { afterCommit } from '../apply/after-commit.ts';
import { keyOf } from '../apply/target.ts';
import type { Group, GroupLookup } from '../apply/decide-group.ts';
import type { QueuedEvent } from '../apply/target.ts';
import type { ImportDeps, PhaseDeps } from './import-deps.ts';
import { ImportError } from './import-error.ts';
import { readState } from './import-scope.ts';
import type { Scope } from './import-scope.ts';
import { count, note } from './import-state.ts';
import { isImportedEvent } from './payment-events.ts';
import type { TellableEvent } from './payment-events.ts';

const maxRounds = 20;

/** What is told of one payment, by the object that it bears on: the purchase. */
function groupsOf({ worker }: ImportDeps, told: readonly TellableEvent[]): Group[] {
  const groups = new Map<string, [QueuedEvent, ...QueuedEvent[]]>();
  for (const raw of told) {
    const queued = acceptEvent({ raw, receivedAt: worker.clock() }, { mode: worker.mode });
    if (queued === null || queued.target.kind === 'none') continue;
    const known = groups.get(keyOf(queued));
    if (known === undefined) groups.set(keyOf(queued), [queued]);
    else known.push(queued);
  }
  return [...groups].map(([key, events]) => ({ key, events }));
}

/** The worker's own reads, behind events that are in doubt as well. */
const inBackground = ({ worker }: ImportDeps): ImportDeps['worker'] => ({
  ...worker,
  budget: { ...worker.budget, take: () => worker.budget.take('background') },
});

type Purchase = Extract<Outcome, { kind: 'purchase' }>;

/** Applies a payment by the worker's rules, all but the ledger. */
export async function applyPayment(
  deps: PhaseDeps,
  scope: Scope,
  { name, told }: { name: string; told: readonly TellableEvent[] },
): Promise<void> {
  for (const group of groupsOf(deps, told)) {
    const { verdict, outcome } = await applyGroup(deps, scope, group);
    count(deps.tally, verdict);
    if (outcome !== null && outcome.owner === null && verdict !== 'payments_of_other_projects')
      note(deps.tally, 'payments_without_user', `${name} (${outcome.row.customerId ?? 'no customer'})`);
  }
}

type Verdict =
  | 'payments_imported'
  | 'payments_there_already'
  | 'payments_of_other_projects'
  | 'payments_that_bought_nothing';
type Applied = { verdict: Verdict; outcome: Purchase | null };

function evaluate(deps: ImportDeps, outcome: Purchase, state: EventState): Verdict | 'changed' {
  if (outcome.owner !== null && outcome.owner.projectId !== deps.projectId)
    return 'payments_of_other_projects';
  if (outcome.row.items.length === 0) return 'payments_that_bought_nothing';
  return saysNothingNew(outcome, state) ? 'payments_there_already' : 'changed';
}

function saysNothingNew(
  { row, owner }: { row: PurchaseRow; owner: Owner | null },
  state: EventState,
): boolean {
  const held = state.purchases.get(row.id);
  if (held === undefined) return false;
  const before = describeRow(held.row, held.owner);
  return differences(before, describeRow(row, owner)).length === 0;
}

/** Stripe sent none of them: the ledger does not hear of them, and the row names none. */
function withoutEvents(outcome: Purchase): Purchase {
  const { row } = outcome;
  const snapshotEventId = isImportedEvent(row.snapshotEventId) ? null : row.snapshotEventId;
  return { ...outcome, events: [], row: { ...row, snapshotEventId } };
}

async function applyGroup(deps: ImportDeps, scope: Scope, group: Group): Promise<Applied> {
  const { worker } = deps;
  let read: GroupLookup | null = null;
  for (let round = 0; round < maxRounds; round += 1) {
    const state = await readState(deps, scope, keysOf([group], read === null ? [] : [read]));
    const rowVersion = rowVersionOf(group, state);
    if (read !== null && read.rowVersion !== rowVersion) read = null;
    const decision = decideGroup(group, { state, read, now: worker.clock() });
    if (decision.kind === 'read') {
      read = await lookupForGroup(inBackground(deps), group, { rowVersion, query: decision.query });
      continue;
    }
    const { outcome } = decision;
    if (outcome?.kind !== 'purchase') return { verdict: 'payments_that_bought_nothing', outcome: null };
    const verdict = evaluate(deps, outcome, state);
    if (verdict !== 'changed') return { verdict, outcome };
    if (deps.isDryRun) {
      if (outcome.row.sessionId !== null) scope.plannedSessionPayments.add(outcome.row.id);
      return { verdict: 'payments_imported', outcome };
    }
    const { written, pending } = await writeOutcomes(worker.database, [withoutEvents(outcome)]);
    if (written.size > 0) {
      await afterCommit(worker, [decision], pending);
      return { verdict: 'payments_imported', outcome };
    }
    read = null;
  }
  throw new ImportError(`${group.key} keeps changing. Run the same command again.`);
}
