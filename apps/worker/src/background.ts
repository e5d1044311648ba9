import { startLoop as start } from '@billing/platform';
import type { QueueRedisReport } from '@billing/platform';
import { publishPending } from '@billing/store';
import {
  countRevenue,
  createClaimSourceFinder,
  createMeterReporter,
  createPayloadMover,
  createSampler,
  makePayloadMonths,
  makeUsageWeeks,
  measureDuplicates,
  measureUnseen,
  sweepAfterChange,
  recheckDue,
  sumSubscriptions,
  tidyReservations,
  verifyDuePrices,
} from '@billing/sync';
import type { MaintenanceDeps } from '@billing/sync';
import { createKeyWatch } from './consume/watch-erasure-keys.ts';
import type { Consumer } from './consume/create-consumer.ts';
import type { Watchdog } from './operations/watchdog.ts';
import { createScheduleKeeper, requeueIdleRuns } from './schedules.ts';
import { startEmitter } from './webhooks/start-emitter.ts';
import { createWebhookCounts } from './webhooks/create-webhook-counts.ts';
import { startSender } from './webhooks/start-sender.ts';
import type { SenderDeps } from './webhooks/start-sender.ts';

const recheckIntervalMs = 1_000;
const verifyIntervalMs = 5_000;
const publishIntervalMs = 2_000;
const scheduleIntervalMs = 2_000;
const keysIntervalMs = 2_000;
const queueIntervalMs = 1_000;
/** Until then metrics read what changed besides the sums. */
const sumIntervalMs = 1_000;
/** The row of the running day is written anew every ten minutes. */
const revenueIntervalMs = 60_000;
const watchIntervalMs = 10_000;
/** Any worker may have swept or reconciled. */
const unseenIntervalMs = 60_000;
/** The metric is at most a minute old. It reads all subscriptions, on a replica if there is one. */
const duplicatesIntervalMs = 50_000;
/** Rows without a source come from older processes only. */
const claimsIntervalMs = 3_600_000;
/** One short query; there are several months' time. */
const payloadMonthsIntervalMs = 60_000;
/** Pages of payloads are moved one by one, at most four a second. */
const movePayloadsIntervalMs = 250;
/** The clock has decided before: it is only written down. */
const tidyIntervalMs = 5_000;
const metersIntervalMs = 1_000;
const webhookCountsIntervalMs = 2_000;
/** A sample is due every ten seconds: none is to be missed. */
const samplesIntervalMs = 1_000;

export type BackgroundOptions = {
  watchdog: Watchdog;
  consumer: Pick<Consumer, 'hold' | 'release'>;
  webhooks: SenderDeps;
  onStuck: () => void;
  /** Asks the queue's Redis who it is. */
  inspectQueue: () => Promise<QueueRedisReport>;
  lookEveryMs?: number | undefined;
  /** What the pauses of the loops are multiplied by. */
  pace?: number | undefined;
};

/** The worker's loops besides its jobs; returns a function that stops them. */
export function startBackground(deps: MaintenanceDeps, options: BackgroundOptions): () => Promise<unknown> {
  const { watchdog, consumer, webhooks, onStuck, inspectQueue } = options;
  const { lookEveryMs = watchIntervalMs, pace = 1 } = options;
  const { logger } = deps;
  const startLoop: typeof start = (loop, turn) =>
    start({ ...loop, intervalMs: loop.intervalMs * pace }, turn);
  const sender = startSender(webhooks);
  const loops = [
    startLoop({ name: 'recheck', logger, intervalMs: recheckIntervalMs }, (signal) =>
      recheckDue(deps, signal),
    ),
    startLoop({ name: 'verify_prices', logger, intervalMs: verifyIntervalMs }, (signal) =>
      verifyDuePrices(deps, signal),
    ),
    startLoop({ name: 'publish_pending', logger, intervalMs: publishIntervalMs }, async () => {
      await publishPending(deps);
      return 'rest';
    }),
    startLoop({ name: 'schedules', logger, intervalMs: scheduleIntervalMs }, createScheduleKeeper(deps)),
    startLoop({ name: 'queue_redis', logger, intervalMs: queueIntervalMs }, async () => {
      if (deps.maintenance.ready()) await sweepAfterChange(deps, await inspectQueue());
      return 'rest';
    }),
    startLoop({ name: 'runs', logger, intervalMs: scheduleIntervalMs }, () => requeueIdleRuns(deps)),
    startLoop({ name: 'claim_sources', logger, intervalMs: claimsIntervalMs }, createClaimSourceFinder(deps)),
    startLoop({ name: 'payload_months', logger, intervalMs: payloadMonthsIntervalMs }, async () => {
      await makePayloadMonths(deps);
      return 'rest';
    }),
    startLoop(
      { name: 'move_payloads', logger, intervalMs: movePayloadsIntervalMs },
      createPayloadMover(deps),
    ),
    startLoop({ name: 'subscription_sums', logger, intervalMs: sumIntervalMs }, () => sumSubscriptions(deps)),
    startLoop({ name: 'revenue_days', logger, intervalMs: revenueIntervalMs }, (signal) =>
      countRevenue(deps, signal),
    ),
    startLoop({ name: 'usage_weeks', logger, intervalMs: payloadMonthsIntervalMs }, async () => {
      await makeUsageWeeks(deps);
      return 'rest';
    }),
    startLoop({ name: 'tidy_reservations', logger, intervalMs: tidyIntervalMs }, () =>
      tidyReservations(deps),
    ),
    startLoop({ name: 'meters', logger, intervalMs: metersIntervalMs }, createMeterReporter(deps)),
    sender,
    ...startEmitter(deps, sender.nudge),
    startLoop({ name: 'unseen_events', logger, intervalMs: unseenIntervalMs }, async () => {
      await measureUnseen(deps);
      return 'rest';
    }),
    startLoop({ name: 'duplicates', logger, intervalMs: duplicatesIntervalMs }, async () => {
      await measureDuplicates(deps);
      return 'rest';
    }),
    startLoop(
      { name: 'webhook_counts', logger, intervalMs: webhookCountsIntervalMs },
      createWebhookCounts(webhooks),
    ),
    startLoop({ name: 'samples', logger, intervalMs: samplesIntervalMs }, createSampler(deps)),
    startLoop({ name: 'erasure_keys', logger, intervalMs: keysIntervalMs }, createKeyWatch(deps, consumer)),
    startLoop({ name: 'watchdog', logger, intervalMs: lookEveryMs }, async (signal) => {
      if ((await watchdog.look()) === 'stuck' && !signal.aborted) onStuck();
      return 'rest';
    }),
  ];
  return () => Promise.all(loops.map((loop) => loop.stop()));
}
