import { differences } from '@billing/domain';
import type { FieldChange } from '@billing/domain';
import { z } from 'zod';
import type { Database } from './create-database.ts';
import { getLedgerEvent } from './ledger.ts';
import type { StoredEvent } from './ledger.ts';

/** What is stored of an object that an event is about, for one of its owners. */
export type EventObject = {
  kind: 'subscription' | 'purchase';
  id: string;
  isNewest: boolean;
  projectId: string | null;
  userId: string | null;
};

export type EventDetail = {
  event: StoredEvent;
  /** Null: it is no longer kept. */
  payload: Record<string, unknown> | null;
  previousEventId: string | null;
  /** What the object had otherwise in the event before; null: there is nothing to compare. */
  changes: FieldChange[] | null;
  objects: EventObject[];
};

const reference = z
  .union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)])
  .optional()
  .catch(undefined);
const payloadShape = z.record(z.string(), z.unknown());
const objectShape = z.object({
  data: z.object({
    object: z.looseObject({
      subscription: reference,
      payment_intent: reference,
      parent: z
        .object({ subscription_details: z.object({ subscription: reference }).optional().catch(undefined) })
        .optional()
        .catch(undefined),
    }),
  }),
});

type Payload = {
  whole: Record<string, unknown>;
  object: Record<string, unknown>;
  names: (string | undefined)[];
};

function readPayload({ payload }: StoredEvent): Payload | null {
  const whole = payloadShape.safeParse(payload);
  const parsed = objectShape.safeParse(payload);
  if (!whole.success || !parsed.success) return null;
  const { object } = parsed.data.data;
  const inParent = object.parent?.subscription_details?.subscription;
  return { whole: whole.data, object, names: [object.subscription, object.payment_intent, inParent] };
}

/** The event about the same object before this one. */
async function findPrevious(
  database: Pick<Database, '$queryRaw'>,
  { eventId, objectId, created }: StoredEvent,
): Promise<string | null> {
  if (objectId === null) return null;
  const [row] = await database.$queryRaw<{ id: string }[]>`
    SELECT event_id AS id FROM public.stripe_events
    WHERE object_id = ${objectId} AND created <= ${created}::timestamptz AND (created, event_id) < (${created}::timestamptz, ${eventId})
    ORDER BY created DESC, event_id DESC LIMIT 1`;
  return row?.id ?? null;
}

const findObjects = (
  database: Pick<Database, '$queryRaw'>,
  { eventId, ids, onlyProject }: { eventId: string; ids: string[]; onlyProject: string | null },
): Promise<EventObject[]> => database.$queryRaw<EventObject[]>`
  SELECT found.kind, found.id, found.is_newest AS "isNewest", users.project_id AS "projectId", users.user_id AS "userId"
  FROM (
    SELECT 'subscription' AS kind, s.id, s.user_ref, s.snapshot_event_id IS NOT DISTINCT FROM ${eventId} AS is_newest
    FROM public.subscriptions s WHERE s.id = ANY(${ids}::text[])
    UNION ALL
    SELECT 'purchase', p.id, p.user_ref, p.snapshot_event_id IS NOT DISTINCT FROM ${eventId}
    FROM public.purchases p
    WHERE p.id = ANY(${ids}::text[]) OR p.session_id = ANY(${ids}::text[]) OR p.charge_id = ANY(${ids}::text[])) found
  CROSS JOIN LATERAL (
    SELECT found.user_ref AS ref UNION SELECT o.user_ref FROM public.object_owners o WHERE o.object_id = found.id) owner
  LEFT JOIN public.users ON users.id = owner.ref
  WHERE (${onlyProject}::text IS NULL OR users.project_id = ${onlyProject})
    AND (users.id IS NOT NULL OR NOT EXISTS (SELECT FROM public.object_owners o WHERE o.object_id = found.id))
  ORDER BY kind, id, "projectId"`;

/** One event with its payload, what it changed and what is stored of its objects; null: there is none, of that project. */
export async function readEventDetail(
  database: Database,
  { eventId, onlyProject }: { eventId: string; onlyProject: string | null },
): Promise<EventDetail | null> {
  const event = await getLedgerEvent(database, eventId);
  if (event === null || (onlyProject !== null && event.projectId !== onlyProject)) return null;
  const payload = readPayload(event);
  const previousEventId = await findPrevious(database, event);
  const previous = previousEventId === null ? null : await getLedgerEvent(database, previousEventId);
  const before = previous === null ? null : readPayload(previous);
  const ids = [event.objectId, ...(payload?.names ?? [])].flatMap((one) => one ?? []);
  return {
    event,
    payload: payload?.whole ?? null,
    previousEventId,
    changes: payload === null || before === null ? null : differences(before.object, payload.object),
    objects: await findObjects(database, { eventId, ids, onlyProject }),
  };
}
