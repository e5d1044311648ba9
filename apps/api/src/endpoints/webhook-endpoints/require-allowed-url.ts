import { ServiceError } from '@billing/domain';
import { UrlNotAllowed, withDeadline } from '@billing/platform';
import type { WebhookClient } from '@billing/platform';

/** How long a name may take to resolve. */
const resolveMs = 10_000;

/** Throws `url_not_allowed` for what webhooks may not call. */
export async function requireAllowedUrl({ checkUrl }: WebhookClient, url: string): Promise<void> {
  try {
    await withDeadline(checkUrl(url), {
      ms: resolveMs,
      onTimeout: () => new UrlNotAllowed('The name of the host does not resolve. Try again later.'),
    });
  } catch (error) {
    if (error instanceof UrlNotAllowed) throw new ServiceError('url_not_allowed', error.message);
    throw error;
  }
}
