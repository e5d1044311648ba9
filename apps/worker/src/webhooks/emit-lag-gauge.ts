import type { Metrics } from '@billing/platform';

/** How late products are told; undefined: it is not known. */
export const createEmitLagGauge = (
  { measured }: Pick<Metrics, 'measured'>,
  read: () => Promise<number | undefined>,
): unknown =>
  measured(
    'webhook_emit_lag_seconds',
    'For how long the oldest change that a product is to be told of waits for its message; 0: none does',
    read,
  );
