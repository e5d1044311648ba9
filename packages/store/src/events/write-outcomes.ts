import type { PendingInvalidation } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import { toOutcomeRows } from './outcome-rows.ts';
import type { OutcomeRows } from './outcome-rows.ts';
import type { Outcome } from './outcomes.ts';
import {
  bumpVersions,
  createNoUsers,
  createUsers,
  lockUsers,
  purchaseSql,
  recordEvents,
  subscriptionSql,
  writeTombstones,
} from './write-outcomes-sql.ts';

export type Written = {
  /** Keys of the objects that were written (`objectKeyOf`); the others changed meanwhile: decide them again. */
  written: ReadonlySet<string>;
  /** Events that this statement recorded in the ledger. */
  recorded: ReadonlySet<string>;
  pending: PendingInvalidation[];
};

type WrittenRow = {
  written: string[];
  recorded: string[];
  pending: { id: number; projectId: string; userId: string; version: number }[];
};

/** The parts of the statement that the batch needs: Postgres prepares all it is given, needed or not. */
function partsFor(rows: OutcomeRows): Prisma.Sql[] {
  const { newUsers, subscriptions, subscriptionItems, purchases, purchaseItems, tombstones } = rows;
  return [
    lockUsers(rows.bumps),
    newUsers === null ? createNoUsers() : createUsers(newUsers),
    subscriptions === null ? subscriptionSql.writeNone() : subscriptionSql.write(subscriptions),
    ...(subscriptionItems === null ? [] : [subscriptionSql.writeItems(subscriptionItems)]),
    purchases === null ? purchaseSql.writeNone() : purchaseSql.write(purchases),
    ...(purchaseItems === null ? [] : [purchaseSql.writeItems(purchaseItems)]),
    ...(tombstones === null ? [] : [writeTombstones(tombstones)]),
    bumpVersions(),
    recordEvents(rows.events),
  ];
}

/**
 * Writes a batch in one statement, which is one transaction. Users are locked first, in the order of their
 * ids, as everywhere. An object is written only if its row version is still the one that was read; its items, its
 * users' versions and its events' ledger rows follow it, so an event and its effect are one. A row is inserted
 * with version 1, which no stored row can precede. An object may occur once in a batch.
 */
export async function writeOutcomes(
  database: Pick<Database, '$queryJson'>,
  outcomes: readonly Outcome[],
): Promise<Written> {
  const parts = Prisma.join(partsFor(toOutcomeRows(outcomes)), ',');
  const { written, recorded, pending } = await database.$queryJson<WrittenRow>(Prisma.sql`
    WITH ${parts}
    SELECT json_build_object(
      'written', (SELECT coalesce(json_agg(object_key), '[]') FROM written_objects),
      'recorded', (SELECT coalesce(json_agg(event_id), '[]') FROM recorded_events),
      'pending', (SELECT coalesce(json_agg(json_build_object(
        'id', id, 'projectId', project_id, 'userId', user_id, 'version', version)), '[]') FROM pending_invalidations))`);
  return {
    written: new Set(written),
    recorded: new Set(recorded),
    pending: pending.map((one) => ({ ...one, id: BigInt(one.id), version: BigInt(one.version) })),
  };
}
