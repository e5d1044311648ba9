import { findConditions, overviewOut, toTimestamp, toTimestampOrNull } from '@billing/domain';
import type { Instant, OverviewOut, QueueStateOut } from '@billing/domain';
import { QueueUnavailableError, readQueueState, stripeModeOf } from '@billing/platform';
import { countWebhooks, readOverview } from '@billing/store';
import type { OverviewRow, WebhookCounts } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import type { EndpointDeps } from '../../http/define-endpoint.ts';
import { queueStateExample } from './list-samples.ts';

const at = '2026-11-22T10:00:00.000Z';

export const getOverview = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/overview',
  operationId: 'getOverview',
  tag: 'Console',
  summary: 'Is all well?',
  description:
    'Processes, queues, what waits for somebody, and the conditions that need somebody. Found in the data of this service alone: alerts of the monitoring know more.',
  access: { admin: 'viewer' },
  answers: [
    {
      status: 200,
      description: 'How it stands now.',
      schema: overviewOut,
      example: {
        at,
        processes: { api: 2, worker: 2, other: 0 },
        queues: [queueStateExample],
        events: { failed: 0, quarantined: 2 },
        stripe_reads: { per_second: 20, allowed_per_second: 20, available: 18.5, at },
        last_sweep: { succeeded_at: '2026-11-22T09:58:00.000Z', age_seconds: 120 },
        drift: { run_id: 'run_8c1f', finished_at: '2026-11-22T02:03:00.000Z', differences: 0 },
        webhooks: {
          endpoints_enabled: 3,
          endpoints_disabled: 0,
          endpoints_key_missing: 0,
          deliveries_due: 0,
        },
        conditions: [
          {
            code: 'events_quarantined',
            severity: 'ticket',
            words: "2 of Stripe's events wait for a customer or a price to be mapped.",
            count: 2,
          },
        ],
      },
    },
  ],
  errors: [],
  handle: async (deps) => {
    const { database, config, clock, webhookSecrets } = deps;
    const [row, webhooks, queues] = await Promise.all([
      readOverview(database, { mode: stripeModeOf(config.stripeSecretKey) }),
      countWebhooks(database, webhookSecrets),
      readQueues(deps),
    ]);
    const now = clock();
    const shown = present({ row, webhooks, queues, now });
    const { unseenSeconds, runsFailed, pricesUnverified } = row;
    const endpointsGivenUp = webhooks.gone + webhooks.failing;
    const facts = { ...shown, unseenSeconds, runsFailed, pricesUnverified, endpointsGivenUp };
    return { body: { at: toTimestamp(now), ...shown, conditions: findConditions(facts) } };
  },
});

/** Null: their Redis cannot be reached. */
async function readQueues({
  stripeEvents,
  maintenance,
  usageEvents,
}: EndpointDeps): Promise<QueueStateOut[] | null> {
  try {
    return await Promise.all([stripeEvents, maintenance, usageEvents].map(readQueueState));
  } catch (error) {
    if (error instanceof QueueUnavailableError) return null;
    throw error;
  }
}

type Read = { row: OverviewRow; webhooks: WebhookCounts; queues: QueueStateOut[] | null; now: Instant };

function present({ row, webhooks, queues, now }: Read): Omit<OverviewOut, 'at' | 'conditions'> {
  const { reads, drift, sweptAt } = row;
  return {
    processes: { api: row.api, worker: row.worker, other: row.other },
    queues,
    events: { failed: row.failed, quarantined: row.quarantined },
    stripe_reads:
      reads === null
        ? null
        : {
            per_second: reads.perSecond,
            allowed_per_second: reads.allowedPerSecond,
            available: reads.available,
            at: toTimestamp(reads.at),
          },
    last_sweep: {
      succeeded_at: toTimestampOrNull(sweptAt),
      age_seconds: sweptAt === null ? null : Math.max(0, (now - sweptAt) / 1000),
    },
    drift:
      drift === null
        ? null
        : {
            run_id: drift.runId,
            finished_at: toTimestamp(drift.finishedAt),
            differences: drift.differences,
          },
    webhooks: {
      endpoints_enabled: webhooks.enabled,
      endpoints_disabled: webhooks.disabled,
      endpoints_key_missing: webhooks.keyMissing,
      deliveries_due: webhooks.due,
    },
  };
}
