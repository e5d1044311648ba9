import { mostAtEndpoint, mostAtFailing } from '@billing/domain';
import type { DueEndpoint } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

/** More are not looked at in one turn. */
const atOnce = 500;

/** Endpoints for which something waits: one look into the index for each. */
const waiting = Prisma.sql`
  WITH RECURSIVE waiting AS (
    (SELECT endpoint_id FROM public.webhook_deliveries WHERE status = 'pending' ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.endpoint_id FROM public.webhook_deliveries d
      WHERE d.status = 'pending' AND d.endpoint_id > w.endpoint_id ORDER BY d.endpoint_id LIMIT 1)
    FROM waiting w WHERE w.endpoint_id IS NOT NULL)
  SELECT endpoint_id FROM waiting WHERE endpoint_id IS NOT NULL`;

/**
 * Endpoints for which a delivery is due that can be signed with the keys at hand and sent now, those with the least under way first; and
 * closed ones (disabled, deleted, of an inactive project) for which something waits that is to be discarded.
 */
export const findDueEndpoints = (
  database: Pick<Database, '$queryJson'>,
  { keyIds }: { keyIds: readonly string[] },
): Promise<(DueEndpoint & { isOpen: boolean })[]> =>
  database.$queryJson(Prisma.sql`
    SELECT coalesce(json_agg(json_build_object(
      'id', found.id, 'inFlight', found.in_flight, 'isFailing', found.is_failing, 'isOpen', found.is_open)), '[]')
    FROM (
      SELECT e.id, e.failing_since IS NOT NULL AS is_failing, o.is_open, f.in_flight
      FROM (${waiting}) w
      JOIN public.webhook_endpoints e ON e.id = w.endpoint_id
      JOIN public.projects p ON p.id = e.project_id
      CROSS JOIN LATERAL (SELECT e.is_enabled AND e.deleted_at IS NULL AND p.is_active AS is_open) o
      CROSS JOIN LATERAL (
        SELECT count(*)::integer AS in_flight FROM public.webhook_deliveries d
        WHERE d.endpoint_id = e.id AND d.claimed_until > now()) f
      WHERE NOT o.is_open OR (
        f.in_flight < CASE WHEN e.failing_since IS NULL THEN ${mostAtEndpoint}::integer ELSE ${mostAtFailing}::integer END
        AND e.key_id = ANY(${[...keyIds]}::text[])
        AND (e.previous_until IS NULL OR e.previous_until <= now() OR e.previous_key_id = ANY(${[...keyIds]}::text[]))
        AND EXISTS (
          SELECT FROM public.webhook_deliveries d WHERE d.endpoint_id = e.id AND d.status = 'pending'
            AND d.next_try_at <= now() AND (d.claimed_until IS NULL OR d.claimed_until <= now())))
      ORDER BY is_failing, f.in_flight LIMIT ${atOnce}) found`);
