import type { Finding, WebhookSecrets } from '@billing/platform';
import type { Queries } from '../create-database.ts';

type Reader = Pick<Queries, '$queryRaw'>;

/** The fingerprints of keys that secrets of endpoints need at this moment and that this process lacks. */
export async function findMissingWebhookKeys(
  database: Reader,
  { keyIds }: WebhookSecrets,
): Promise<string[]> {
  const rows = await database.$queryRaw<{ key_id: string }[]>`
    SELECT key_id FROM public.webhook_endpoints WHERE deleted_at IS NULL
    UNION
    SELECT previous_key_id FROM public.webhook_endpoints WHERE deleted_at IS NULL AND previous_until > now()
    ORDER BY 1`;
  return rows.map((row) => row.key_id).filter((id) => !keyIds.includes(id));
}

/** What `/ready` says of keys that are missing: messages wait for them, and all else goes on. */
export async function checkWebhookKeys(
  database: Reader,
  secrets: WebhookSecrets,
): Promise<Record<string, Finding>> {
  const missing = await findMissingWebhookKeys(database, secrets);
  if (missing.length === 0) return {};
  return { webhooks: { state: 'noted', says: `WEBHOOK_SECRET_KEY lacks the key ${missing.join(', ')}` } };
}
