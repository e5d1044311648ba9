import type { UsageState } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import type { QueryJson } from '../query-json.ts';
import { columnsOf } from './account-key.ts';
import type { AccountKey } from './account-key.ts';

/** Of a row `s`: the fields of a `UsageState`, with its live buckets. */
export const stateFields = Prisma.sql`
  s.usage_seq AS "usageSeq", s.buckets, s.level, s.open_holds AS "openHolds",
  (extract(epoch FROM s.level_observed_at) * 1000)::bigint AS "levelObservedAt",
  (extract(epoch FROM s.holds_due_at) * 1000)::bigint AS "holdsDueAt"`;

/** A row, and which of the keys that were asked for it is of (the first: 1). */
export type StateRow = UsageState & { position: number };

/**
 * Makes the rows that are not there, in a transaction of its own: a batch then only locks rows that are there, and never
 * waits for another batch.
 */
export async function makeStates(
  database: Pick<Database, '$executeRaw'>,
  keys: readonly AccountKey[],
): Promise<void> {
  const { projects, users, features } = columnsOf(keys);
  await database.$executeRaw`
    INSERT INTO public.usage_states (project_id, user_id, feature_code)
    SELECT * FROM unnest(${projects}::text[], ${users}::text[], ${features}::text[])
    ON CONFLICT DO NOTHING`;
}

/** How long one account is waited for that another process decides about. */
const patienceMs = 250;

/**
 * Locks the rows of accounts until the transaction ends, and returns them as they are then. Many accounts: those that
 * nobody else holds, the others are left out. One account: waits for it, and fails (55P03) after a quarter of a second.
 */
export async function lockStates(
  query: QueryJson,
  keys: readonly AccountKey[],
  { isPatient }: { isPatient: boolean },
): Promise<StateRow[]> {
  const { projects, users, features } = columnsOf(keys);
  if (isPatient)
    await query(
      Prisma.sql`SELECT json_build_object('set', set_config('lock_timeout', ${`${patienceMs}`}, true))`,
    );
  const wait = isPatient ? Prisma.empty : Prisma.sql`SKIP LOCKED`;
  return query<StateRow[]>(Prisma.sql`
    SELECT coalesce(json_agg(one), '[]') FROM (
      SELECT asked.position, ${stateFields}
      FROM unnest(${projects}::text[], ${users}::text[], ${features}::text[])
        WITH ORDINALITY AS asked (project_id, user_id, feature_code, position)
      JOIN public.usage_states s ON s.project_id = asked.project_id AND s.user_id = asked.user_id
        AND s.feature_code = asked.feature_code
      FOR UPDATE OF s ${wait}) one`);
}
