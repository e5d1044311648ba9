import { describeRow, differences } from '@billing/domain';
import type { DriftEntry, DriftKind, Owner } from '@billing/domain';
import type { MaintenanceDeps } from '../deps.ts';
import type { WritePlan } from '../apply/plan-write.ts';
import { writePlans } from '../apply/write-plans.ts';

/** What makes one of our rows equal to Stripe's object, and how they differ. */
export type Change = WritePlan & { drift: DriftEntry };

type Side = { row: object; owner: Owner | null };

const fieldsOf = (
  changes: readonly { path: string; before: unknown; after: unknown }[],
  side: 'before' | 'after',
): Record<string, unknown> => Object.fromEntries(changes.map((change) => [change.path, change[side]]));

/** The difference between two states of an object, field by field; null: none that matters. */
export function driftOf(
  object: 'subscription' | 'purchase',
  { id, before, after }: { id: string; before: Side | null; after: Side },
): DriftEntry | null {
  const described = before === null ? {} : describeRow(before.row, before.owner);
  const changes = differences(described, describeRow(after.row, after.owner));
  if (changes.length === 0) return null;
  const kind: DriftKind = `${object}_${before === null ? 'created' : 'updated'}`;
  return {
    kind,
    object_id: id,
    before: before === null ? null : fieldsOf(changes, 'before'),
    after: fieldsOf(changes, 'after'),
  };
}

/**
 * Writes changes whose rows are still as they were before Stripe was asked; a row that changed meanwhile is left to
 * its writer. Returns and counts the repaired differences; a dry run only reports them.
 */
export async function repair(
  deps: MaintenanceDeps,
  { dryRun }: { dryRun: boolean },
  changes: readonly Change[],
): Promise<DriftEntry[]> {
  const repaired = dryRun || changes.length === 0 ? changes : await writePlans(deps, changes);
  const drift = repaired.map((change) => change.drift);
  for (const { kind } of drift) deps.metrics.reconcileDrift.inc({ kind });
  return drift;
}
