import { describeRow, differences } from '@billing/domain';
import type { DriftEntry, DriftKind, Owner } from '@billing/domain';
import { objectKeyOf, writeOutcomes } from '@billing/store';
import type { Outcome } from '@billing/store';
import type { MaintenanceDeps } from '../deps.ts';
import { afterCommit } from '../apply/after-commit.ts';
import type { Settled } from '../apply/decide-object.ts';

/** What would make one of our rows say what Stripe says. */
export type Change = { drift: DriftEntry; outcome: Outcome; decided: Settled | null };

type Side = { row: object; owner: Owner | null };

const fieldsOf = (
  changes: readonly { path: string; before: unknown; after: unknown }[],
  side: 'before' | 'after',
): Record<string, unknown> => Object.fromEntries(changes.map((change) => [change.path, change[side]]));

/** The difference between two states of an object, field by field; null: none that matters to anybody. */
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
 * Writes changes whose rows are still as they were before Stripe was asked; what changed meanwhile is left to
 * whoever changed it. Returns the differences that were repaired.
 */
export async function writeChanges(
  deps: MaintenanceDeps,
  changes: readonly Change[],
): Promise<readonly DriftEntry[]> {
  if (changes.length === 0) return [];
  const { written: writtenKeys, pending } = await writeOutcomes(
    deps.database,
    changes.map(({ outcome }) => outcome),
  );
  const written = changes.filter(({ outcome }) => writtenKeys.has(objectKeyOf(outcome) ?? ''));
  await afterCommit(
    deps,
    written.flatMap(({ decided }) => decided ?? []),
    pending,
  );
  return written.map(({ drift }) => drift);
}
