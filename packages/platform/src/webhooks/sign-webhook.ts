import { Webhook } from 'standardwebhooks';

export type SignedMessage = { id: string; body: string; at: Date; secrets: readonly string[] };

/** The headers of Standard Webhooks: id, time of the try, and a signature by each secret. */
export const signWebhook = ({ id, body, at, secrets }: SignedMessage): Record<string, string> => ({
  'webhook-id': id,
  'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
  'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
});
