import { quarantineReasons } from '@billing/domain';
import type { Waits } from '@billing/domain';
import type { Queries } from '../create-database.ts';
import type { ObjectKey } from '../events/outcomes.ts';
import type { DecidedAgain } from './decide-again.ts';

/** A quarantined event, and what it waits for. */
type WaitingEvent = { eventId: string; objectId: string | null; awaits: string };

/** The events that wait for one of these. */
export async function findWaiting(tx: Queries, names: readonly string[]): Promise<WaitingEvent[]> {
  if (names.length === 0) return [];
  return tx.$queryRaw<WaitingEvent[]>`
    SELECT event_id AS "eventId", object_id AS "objectId", awaits FROM public.stripe_events
    WHERE awaits = ANY(${[...new Set(names)]}::text[]) AND status = 'quarantined'
      AND reason = ANY(${[...quarantineReasons]}::text[])`;
}

/** The stored objects that events name. */
export async function findObjectsNamed(tx: Queries, objectIds: readonly string[]): Promise<ObjectKey[]> {
  if (objectIds.length === 0) return [];
  const ids = [...new Set(objectIds)];
  return tx.$queryRaw<ObjectKey[]>`
    SELECT 'subscription' AS kind, id FROM public.subscriptions WHERE id = ANY(${ids}::text[])
    UNION
    SELECT 'purchase', id FROM public.purchases
    WHERE id = ANY(${ids}::text[]) OR session_id = ANY(${ids}::text[]) OR charge_id = ANY(${ids}::text[])`;
}

type Update = {
  object_id: string | null;
  event_id: string | null;
  reason: string | null;
  awaits: string | null;
};

const entryOf = (waits: Waits | null) => ({ reason: waits?.reason ?? null, awaits: waits?.awaits ?? null });

/**
 * What events about none of the objects wait for: those of a session or an invoice wait as long as an object that waits
 * for the same does.
 */
function foreignUpdates(
  others: readonly WaitingEvent[],
  { decided, areMapped }: { decided: readonly DecidedAgain[]; areMapped: boolean },
): Update[] {
  const own = new Set(decided.flatMap(({ eventObjectIds }) => eventObjectIds));
  return others.flatMap(({ eventId, objectId, awaits }) => {
    if (objectId !== null && own.has(objectId)) return [];
    const related = decided.filter(({ id, customerId }) => awaits === customerId || awaits === id);
    if (related.length === 0 && !areMapped) return [];
    const waits = related.find(({ plan }) => plan.waits !== null)?.plan.waits ?? null;
    return [{ object_id: null, event_id: eventId, ...entryOf(waits) }];
  });
}

/** Brings the ledger's waiting rows up to date; returns how many events count now. */
export async function updateWaiting(
  tx: Queries,
  {
    decided,
    others,
    areMapped,
  }: { decided: readonly DecidedAgain[]; others: readonly WaitingEvent[]; areMapped: boolean },
): Promise<number> {
  const updates: Update[] = [
    ...decided.flatMap(({ eventObjectIds, plan }) =>
      eventObjectIds.map((objectId) => ({ object_id: objectId, event_id: null, ...entryOf(plan.waits) })),
    ),
    ...foreignUpdates(others, { decided, areMapped }),
  ];
  if (updates.length === 0) return 0;
  const rows = await tx.$queryRaw<{ status: string }[]>`
    WITH change AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(updates)}::jsonb)
        AS x (object_id text COLLATE "C", event_id text COLLATE "C", reason text, awaits text COLLATE "C")),
    found AS (
      SELECT e.event_id, change.reason, change.awaits FROM change JOIN public.stripe_events e ON e.object_id = change.object_id
      WHERE e.status = 'quarantined'
      UNION ALL
      SELECT e.event_id, change.reason, change.awaits FROM change JOIN public.stripe_events e ON e.event_id = change.event_id
      WHERE e.status = 'quarantined'),
    locked AS (
      SELECT event_id FROM public.stripe_events
      WHERE event_id = ANY(ARRAY(SELECT event_id FROM found)) ORDER BY event_id FOR UPDATE)
    UPDATE public.stripe_events e SET
      status = CASE WHEN found.reason IS NULL THEN 'applied' ELSE 'quarantined' END,
      reason = found.reason, awaits = found.awaits, processed_at = now()
    FROM found JOIN locked USING (event_id)
    WHERE e.event_id = found.event_id AND e.status = 'quarantined'
      AND e.reason = ANY(${[...quarantineReasons]}::text[])
      AND (e.reason, e.awaits) IS DISTINCT FROM (found.reason, found.awaits)
    RETURNING e.status`;
  return rows.filter(({ status }) => status === 'applied').length;
}
