import type { Metrics } from '@billing/platform';

/** What the sender counts. */
export const createSenderMetrics = ({ counter, sharedGauge }: Pick<Metrics, 'counter' | 'sharedGauge'>) => ({
  deliveries: counter<'outcome'>(
    'webhook_deliveries_total',
    'Tries to deliver a message to a product, by what became of the delivery; discarded: without a try',
    ['outcome'],
  ),
  due: sharedGauge('webhook_deliveries_due', 'Deliveries to products that are due and not under way'),
  endpoints: sharedGauge<'state'>(
    'webhook_endpoints',
    'Endpoints of products; key_missing: WEBHOOK_SECRET_KEY lacks the key of its secret',
    ['state'],
  ),
  givenUp: sharedGauge<'reason'>(
    'webhook_endpoints_given_up',
    'Endpoints of products that are disabled because they are gone (410), or failed for too long',
    ['reason'],
  ),
});

export type SenderMetrics = ReturnType<typeof createSenderMetrics>;
