/** The queue's Redis can't take a job now. Nothing is known to be stored: the sender should try again. */
export class QueueUnavailableError extends Error {
  readonly code = 'queue_unavailable';
  readonly retryable = true;
  override readonly name = 'QueueUnavailableError';
}
