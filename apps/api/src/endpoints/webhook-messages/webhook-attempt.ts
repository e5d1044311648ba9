import type { WebhookAttemptOut } from '@billing/domain';
import type { WebhookAttempt } from '@billing/store';

export const presentAttempt = (
  row: Pick<WebhookAttempt, 'endpointId' | 'at' | 'status' | 'durationMs' | 'error' | 'response'>,
): WebhookAttemptOut => ({
  endpoint_id: row.endpointId,
  at: row.at.toISOString(),
  status: row.status,
  duration_ms: row.durationMs,
  error: row.error,
  response: row.response,
});

export const attemptExample = {
  endpoint_id: 'whe_5b1e',
  at: '2026-11-22T10:00:00.120Z',
  status: 204,
  duration_ms: 31,
  error: null,
  response: '',
};
