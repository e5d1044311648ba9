import { ServiceError } from '@billing/domain';
import type { WebhookSecrets } from '@billing/platform';
import type { WebhookEndpoint } from '@billing/store';

const notConfigured = (): ServiceError =>
  new ServiceError(
    'webhooks_not_configured',
    'Set WEBHOOK_SECRET_KEY in API and worker: docs/webhooks.md, "Keys".',
  );

/** The fingerprint of the key that new secrets are derived from. Throws `webhooks_not_configured`. */
export function requireKeyId({ keyIds }: WebhookSecrets): string {
  const [keyId] = keyIds;
  if (keyId === undefined) throw notConfigured();
  return keyId;
}

/** The secret that was just made. */
export function newestSecret(secrets: WebhookSecrets, endpoint: WebhookEndpoint): string {
  const secret = secrets.newest(endpoint);
  if (secret === null) throw notConfigured();
  return secret;
}

/** All secrets that sign now. Throws `webhooks_not_configured` where the key of one is not here. */
export function livingSecrets(secrets: WebhookSecrets, endpoint: WebhookEndpoint, now: number): string[] {
  requireKeyId(secrets);
  const living = secrets.living(endpoint, now);
  if (living !== null) return living;
  throw new ServiceError(
    'webhooks_not_configured',
    `WEBHOOK_SECRET_KEY lacks the key by which this endpoint's secret was made (fingerprint ${endpoint.keyId}): put it back behind the first, or rotate the secret.`,
  );
}
