import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

export type WebhookCounts = {
  /** Deliveries that are due and not under way; of very many so many. */
  due: number;
  enabled: number;
  disabled: number;
  /** Endpoints whose secret was made by a key that is not here. */
  keyMissing: number;
  /** Of the disabled ones: because of what they answered, or did not. */
  gone: number;
  failing: number;
};

const mostCounted = 100_000;

/** What there is to deliver, and to whom. `keyIds`: of the keys at hand. */
export const countWebhooks = (
  database: Pick<Database, '$queryJson'>,
  { keyIds }: { keyIds: readonly string[] },
): Promise<WebhookCounts> =>
  database.$queryJson(Prisma.sql`
    SELECT json_build_object(
      'due', (SELECT count(*) FROM (
        SELECT FROM public.webhook_deliveries d WHERE d.status = 'pending' AND d.next_try_at <= now()
          AND (d.claimed_until IS NULL OR d.claimed_until <= now()) LIMIT ${mostCounted}) one),
      'enabled', count(*) FILTER (WHERE NOT e.lacks_key AND e.is_enabled),
      'disabled', count(*) FILTER (WHERE NOT e.lacks_key AND NOT e.is_enabled),
      'keyMissing', count(*) FILTER (WHERE e.lacks_key),
      'gone', count(*) FILTER (WHERE e.disabled_reason = 'gone'),
      'failing', count(*) FILTER (WHERE e.disabled_reason = 'failing'))
    FROM (
      SELECT is_enabled, disabled_reason, key_id <> ALL(${[...keyIds]}::text[]) OR
        (coalesce(previous_until > now(), false) AND previous_key_id <> ALL(${[...keyIds]}::text[])) AS lacks_key
      FROM public.webhook_endpoints WHERE deleted_at IS NULL) e`);
