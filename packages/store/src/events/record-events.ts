import { isOurTurn } from '../erasure/take-turn.ts';
import { sqlTemplate } from '../sql-template.ts';
import { eventPayloadTable, eventTable } from './tables.ts';

/** Ledger rows of the events, and their payloads by the moment that the row has. */
export const recordEvents = sqlTemplate(`
  incoming_events AS MATERIALIZED (
    SELECT x.* FROM json_to_recordset($rows::json) AS x(${eventTable.recordset})),
  recorded_events AS (
    INSERT INTO public.stripe_events AS stored (${eventTable.insert})
    SELECT ${eventTable.values} FROM incoming_events
    -- An event and its effect are one: without its object it is not recorded.
    WHERE ${isOurTurn} AND (object_key IS NULL OR object_key IN (SELECT object_key FROM written_objects))
    ORDER BY event_id COLLATE "C"
    ON CONFLICT (event_id) DO UPDATE SET ${eventTable.set}, attempts = stored.attempts + 1
    -- Any other status is final.
    WHERE stored.status IN ('failed', 'quarantined')
    RETURNING event_id, received_at),
  recorded_payloads AS (
    INSERT INTO public.stripe_event_payloads (${eventPayloadTable.insert})
    SELECT event_id, recorded.received_at, payload
    FROM recorded_events recorded JOIN incoming_events USING (event_id)
    WHERE payload IS NOT NULL
    ON CONFLICT (${eventPayloadTable.primaryKey.join(', ')}) DO UPDATE SET ${eventPayloadTable.set})`);

/** What the rest of the statement names, where a batch has none. */
export const recordNone = sqlTemplate(`
  recorded_events AS (SELECT event_id FROM public.stripe_events WHERE false)`);
