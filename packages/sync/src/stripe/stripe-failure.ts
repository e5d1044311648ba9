/** What a failed request to Stripe means for the caller. */
export type StripeFailure =
  | { kind: 'missing' }
  | { kind: 'throttled'; retryAfterMs: number | null }
  /** Stripe refuses the request as such (a revoked key, a permission): repeating it is no use. */
  | { kind: 'refused'; status: number }
  | { kind: 'unreachable'; status: number | null };

function statusOf(error: unknown): number | null {
  if (!(error instanceof Error) || !('statusCode' in error)) return null;
  return typeof error.statusCode === 'number' ? error.statusCode : null;
}

function retryAfterOf(error: unknown): number | null {
  if (!(error instanceof Error) || !('headers' in error)) return null;
  const { headers } = error;
  if (typeof headers !== 'object' || headers === null || !('retry-after' in headers)) return null;
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}

/** 409 (a lock), 429 and 5xx pass; no status at all is the network. */
export function toStripeFailure(error: unknown): StripeFailure {
  const status = statusOf(error);
  // A list answers 400 for a cursor that is no more.
  const isMissing = error instanceof Error && 'code' in error && error.code === 'resource_missing';
  if (status === 404 || isMissing) return { kind: 'missing' };
  if (status === 429) return { kind: 'throttled', retryAfterMs: retryAfterOf(error) };
  if (status !== null && status >= 400 && status < 500 && status !== 409 && status !== 408)
    return { kind: 'refused', status };
  return { kind: 'unreachable', status };
}
