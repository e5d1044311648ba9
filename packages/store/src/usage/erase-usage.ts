import type { UserKey } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

/** What is known of a user's usage, in the order of an export. */
const usageTables = [
  'usage_states',
  'usage_ended_buckets',
  'usage_events',
  'usage_slots',
  'usage_reservations',
  'usage_crossings',
  'usage_refusals',
  'usage_meter_hours',
  'usage_meter_reports',
] as const;

/** They may be very long, and are erased in parts. */
const growing = new Set<string>(['usage_events', 'usage_slots']);
const decidedBy = usageTables.filter((table) => !growing.has(table));

/**
 * Deletes what decisions about a user are made by, in the erasure's own transaction: balances begin anew. Events and the
 * series until `erasedAt` may be very many: they go in parts (`eraseUsageEvents`). The states come first: who decides has
 * their lock. What was decided meanwhile, or by a process whose clock is ahead, or happens a little later than it is told, goes
 * here as well: later nobody could tell it from what a user of the same id uses anew.
 */
export async function eraseUsageStates(
  tx: Pick<Queries, '$executeRaw'>,
  { projectId, userId, erasedAt }: UserKey & { erasedAt: Date },
): Promise<void> {
  const isTheirs = Prisma.sql`project_id = ${projectId} AND user_id = ${userId}`;
  for (const table of decidedBy)
    await tx.$executeRaw`DELETE FROM ${Prisma.raw(`public.${table}`)} WHERE ${isTheirs}`;
  await tx.$executeRaw`
    DELETE FROM public.usage_event_ids i USING public.usage_events e
    WHERE e.project_id = ${projectId} AND e.user_id = ${userId} AND e.recorded_at > ${erasedAt}::timestamptz
      AND i.project_id = e.project_id AND i.event_id = e.event_id AND i.recorded_at = e.recorded_at`;
  await tx.$executeRaw`
    DELETE FROM public.usage_events WHERE ${isTheirs} AND recorded_at > ${erasedAt}::timestamptz`;
  await tx.$executeRaw`
    DELETE FROM public.usage_slots WHERE ${isTheirs} AND start > ${erasedAt}::timestamptz`;
}

const erasedAtOnce = 2_000;

/** Deletes a part of the events, with their ids, and of the series that the user had until the erasure. True: there may be more. */
export async function eraseUsageEvents(
  database: Database,
  { projectId, userId, erasedAt }: UserKey & { erasedAt: Date },
): Promise<boolean> {
  const isTheirs = Prisma.sql`project_id = ${projectId} AND user_id = ${userId}`;
  return database.$transaction(async (tx) => {
    const events = await tx.$queryRaw<
      { seq: bigint; featureCode: string; recordedAt: Date; eventId: string }[]
    >`
      SELECT usage_seq AS seq, feature_code AS "featureCode", recorded_at AS "recordedAt", event_id AS "eventId"
      FROM public.usage_events WHERE ${isTheirs} AND recorded_at <= ${erasedAt} LIMIT ${erasedAtOnce}`;
    const ids = events.map(({ eventId }) => eventId);
    await tx.$executeRaw`
      DELETE FROM public.usage_event_ids
      WHERE ${isTheirs} AND event_id = ANY(${ids}::text[]) AND recorded_at <= ${erasedAt}`;
    await tx.$executeRaw`
      DELETE FROM public.usage_events e USING
        unnest(${events.map(({ featureCode }) => featureCode)}::text[], ${events.map(({ seq }) => seq)}::bigint[],
          ${events.map(({ recordedAt }) => recordedAt.toISOString())}::text[]) AS gone (feature_code, usage_seq, recorded_at)
      WHERE e.project_id = ${projectId} AND e.user_id = ${userId} AND e.feature_code = gone.feature_code
        AND e.usage_seq = gone.usage_seq AND e.recorded_at = gone.recorded_at::timestamptz`;
    const slots = await tx.$executeRaw`
      DELETE FROM public.usage_slots WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM public.usage_slots WHERE ${isTheirs} AND start <= ${erasedAt} LIMIT ${erasedAtOnce}))`;
    return events.length === erasedAtOnce || slots === erasedAtOnce;
  });
}

/** All rows of usage of a user, by table. */
export type ExportedUsage = Record<string, Record<string, unknown>[]>;

export async function exportUsage(
  tx: Pick<Queries, '$queryRaw'>,
  { projectId, userId }: UserKey,
): Promise<ExportedUsage> {
  const tables: ExportedUsage = {};
  for (const table of usageTables) {
    const found = await tx.$queryRaw<{ row: Record<string, unknown> }[]>`
      SELECT to_jsonb(u) - 'body_digest' AS row FROM ${Prisma.raw(`public.${table}`)} u
      WHERE project_id = ${projectId} AND user_id = ${userId}`;
    tables[table] = found.map(({ row }) => row);
  }
  return tables;
}
