import type { PendingInvalidation } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import { toStatementInput } from './outcomes.ts';
import type { Outcome, StatementInput } from './outcomes.ts';
import { bumpVersions, recordEvents, writeTombstones } from './write-ledger-sql.ts';
import { writePurchaseItems, writePurchases } from './write-purchases-sql.ts';
import { writeSubscriptionItems, writeSubscriptions } from './write-subscriptions-sql.ts';
import { lockUsers, makeUsers } from './write-users-sql.ts';

export type Written = {
  /** Keys of the objects that were written (`objectKeyOf`); the others changed meanwhile: decide them again. */
  held: ReadonlySet<string>;
  /** Events that are now in the ledger by this statement. */
  recorded: ReadonlySet<string>;
  pending: PendingInvalidation[];
};

type WrittenRow = {
  held: string[];
  recorded: string[];
  pending: { id: number; projectId: string; userId: string; version: number }[];
};

/** What the rest of the statement names, of kinds that the batch has nothing of. */
const none = {
  users: Prisma.sql`made AS (SELECT id, project_id, user_id, version FROM users WHERE false)`,
  subscriptions: Prisma.sql`
    subscriptions_in AS (SELECT id FROM subscriptions WHERE false),
    held_subscriptions AS (SELECT id FROM subscriptions WHERE false)`,
  purchases: Prisma.sql`held_purchases AS (SELECT id FROM purchases WHERE false)`,
};

/** The parts of the statement that the batch needs: Postgres prepares all it is given, needed or not. */
function partsOf(input: StatementInput): Prisma.Sql[] {
  const { newUsers, subscriptions, purchases, tombstones } = input;
  return [
    lockUsers(input.bumps),
    newUsers.length === 0 ? none.users : makeUsers(newUsers),
    subscriptions.length === 0 ? none.subscriptions : writeSubscriptions(subscriptions),
    ...(subscriptions.some((one) => one.has_new_items)
      ? [writeSubscriptionItems(input.subscriptionItems)]
      : []),
    purchases.length === 0 ? none.purchases : writePurchases(purchases),
    ...(purchases.some((one) => one.has_new_items) ? [writePurchaseItems(input.purchaseItems)] : []),
    ...(tombstones.length === 0 ? [] : [writeTombstones(tombstones)]),
    bumpVersions,
    recordEvents(input.events),
  ];
}

/**
 * Writes a batch in one statement, which is one transaction. Users are locked first, in the order of their
 * ids, as everywhere. An object is written only if its fence is still the one that was read; its items, its
 * users' versions and its events' ledger rows follow it, so an event and its effect are one. A row is
 * inserted with fence 1, which no stored row can precede. An object may occur once in a batch.
 */
export async function writeOutcomes(
  database: Pick<Database, '$queryJson'>,
  outcomes: readonly Outcome[],
): Promise<Written> {
  const parts = Prisma.join(partsOf(toStatementInput(outcomes)), ',');
  const written = await database.$queryJson<WrittenRow>(Prisma.sql`
    WITH ${parts}
    SELECT json_build_object(
      'held', (SELECT coalesce(json_agg(object_key), '[]') FROM held),
      'recorded', (SELECT coalesce(json_agg(event_id), '[]') FROM recorded),
      'pending', (SELECT coalesce(json_agg(json_build_object(
        'id', id, 'projectId', project_id, 'userId', user_id, 'version', version)), '[]') FROM pending))`);
  return {
    held: new Set(written.held),
    recorded: new Set(written.recorded),
    pending: written.pending.map((one) => ({ ...one, id: BigInt(one.id), version: BigInt(one.version) })),
  };
}
