import type { WebhookMessage } from '@billing/client';
import type { Received } from './start-receiver.ts';

const signs = { added: '+', removed: '-', updated: '~' } as const;

/** What the message is about, in a few words. */
function aboutOf(message: WebhookMessage): string[] {
  switch (message.type) {
    case 'entitlements.changed': {
      const { data } = message;
      const before = data.previous_version === null ? '' : ` (was ${data.previous_version})`;
      const about = [data.user_id, `version ${data.version}${before}`];
      if (!('entitlements' in data)) return about;
      const changes = data.changes.map((one) => `${signs[one.change]}${one.feature_code}`);
      const inForce = data.entitlements.map((one) => one.feature_code);
      return [
        ...about,
        ...(changes.length === 0 ? [] : [changes.join(' ')]),
        `in force: ${inForce.join(', ') || 'nothing'}`,
        `because of ${data.causes.join(', ')}`,
      ];
    }
    case 'catalog.changed':
      return [`catalog version ${message.data.version}`];
    case 'usage.threshold_reached':
      return [message.data.user_id, message.data.feature_code, `${message.data.threshold} %`];
    case 'usage.limit_reached':
      return [message.data.user_id, message.data.feature_code, 'nothing is left'];
    case 'webhook.ping':
      return ['somebody tries this endpoint'];
  }
}

/** One line for each message. */
export const renderMessage = ({ message, messageId, isResend }: Received): string =>
  [
    message.timestamp.slice(11, 23),
    message.type,
    ...(isResend ? ['(sent again)'] : []),
    ...aboutOf(message),
    messageId,
  ].join('  ');
