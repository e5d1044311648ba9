import { isOurTurn, turnParts } from '../erasure/take-turn.ts';
import {
  eventPayloadTable,
  eventTable,
  purchaseItemTable,
  purchaseTable,
  subscriptionItemTable,
  subscriptionTable,
} from './tables.ts';
import { itemParts, objectParts, tombstoneParts } from './write-objects-sql.ts';
import { sentRows } from './write-shape.ts';
import type { Parts, WriteShape } from './write-shape.ts';
import { keysOfWritten, ownerParts, readOwners, userParts, versionParts } from './write-users-sql.ts';

/** Ledger rows of the events, and their payloads by the moment that the row has. */
function eventParts(shape: WriteShape): Parts {
  const rows = shape.isLone ? sentRows(shape, eventTable) : 'incoming_events';
  const payload = shape.isLone ? '$stripe_events_payload::jsonb' : 'payload';
  return {
    incoming_events: !shape.isLone && `SELECT x.* FROM ${sentRows(shape, eventTable)}`,
    recorded_events: `
    INSERT INTO public.stripe_events AS stored (${eventTable.insert})
    SELECT ${eventTable.values} FROM ${rows}
    -- An event and its effect are one: without its object it is not recorded.
    WHERE ${isOurTurn} AND (object_key IS NULL OR object_key IN (SELECT object_key FROM written_objects))
    ORDER BY event_id COLLATE "C"
    ON CONFLICT (event_id) DO UPDATE SET ${eventTable.set}, attempts = stored.attempts + 1
    -- Any other status is final.
    WHERE stored.status IN ('failed', 'quarantined')
    RETURNING event_id, received_at`,
    recorded_payloads: `
    INSERT INTO public.stripe_event_payloads (${eventPayloadTable.insert})
    SELECT event_id, recorded.received_at, ${payload}
    FROM recorded_events recorded ${shape.isLone ? '' : 'JOIN incoming_events USING (event_id)'}
    WHERE ${payload} IS NOT NULL
    ON CONFLICT (${eventPayloadTable.primaryKey.join(', ')}) DO UPDATE SET ${eventPayloadTable.set}`,
  };
}

const materialized =
  /^(newest_mark|turn|version_bumps|locked_users|incoming_\w+|deleted_customers|written_objects)$/;

const list = (column: string, cte: string): string =>
  `(SELECT coalesce(json_agg(${column}), '[]') FROM ${cte})`;

/** The statement that writes a batch of such a shape, in which `$name` stands for a value or a list of rows as JSON. */
export function writeSql(shape: WriteShape): string {
  const { hasBumps, hasNewUsers, hasSubscriptions, hasPurchases } = shape;
  const parts: Parts = {
    ...turnParts({ makesUsers: hasNewUsers }),
    ...userParts(shape),
    incoming_owners: shape.hasOwners && readOwners(shape),
    ...(hasSubscriptions &&
      objectParts(shape, subscriptionTable, [hasBumps && 'locked_users', hasNewUsers && 'created_users'])),
    ...(shape.hasSubscriptionItems && itemParts(shape, subscriptionTable, subscriptionItemTable)),
    ...(hasPurchases &&
      objectParts(shape, purchaseTable, [
        hasBumps && 'locked_users',
        hasNewUsers && 'created_users',
        hasSubscriptions && 'written_subscriptions',
      ])),
    ...(shape.hasPurchaseItems && itemParts(shape, purchaseTable, purchaseItemTable)),
    ...(shape.hasTombstones && tombstoneParts(shape)),
    written_objects: keysOfWritten(shape),
    ...versionParts(shape),
    ...(shape.hasOwners && ownerParts),
    ...(shape.hasEvents && eventParts(shape)),
  };
  const pending = `json_build_object('id', id, 'projectId', project_id, 'userId', user_id, 'version', version)`;
  return `
    WITH ${Object.entries(parts)
      .flatMap(([name, sql]) =>
        sql === false ? [] : [`${name} AS ${materialized.test(name) ? 'MATERIALIZED ' : ''}(${sql})`],
      )
      .join(',\n  ')}
    SELECT json_build_object(
      'isOurTurn', ${isOurTurn},
      'written', ${list('object_key', 'written_objects')},
      'recorded', ${shape.hasEvents ? list('event_id', 'recorded_events') : `'[]'::json`},
      'pending', ${hasBumps || hasNewUsers ? list(pending, 'pending_invalidations') : `'[]'::json`})`;
}
