import type { ConditionOut, OverviewOut } from '../contracts/admin/overview.ts';
import { conditionCodes } from './condition-codes.ts';
import type { ConditionCode } from './condition-codes.ts';

/** What the conditions are found from: the overview itself, and what it does not show. */
export type OverviewFacts = Omit<OverviewOut, 'conditions' | 'at'> & {
  /** Seconds of Stripe's events that were never read and are listed no more. */
  unseenSeconds: number;
  /** Runs that failed in the last day. */
  runsFailed: number;
  /** Prices of the catalog that Stripe has otherwise, or not at all. */
  pricesUnverified: number;
  /** Endpoints that are disabled because of what they answered, or did not. */
  endpointsGivenUp: number;
};

/** As the alerts `QueueStuck` and `WebhookDeliveriesWait` have them. */
const mostWaitingSeconds = (queue: string): number => (queue === 'maintenance' ? 3_600 : 60);
const mostDeliveriesDue = 1_000;
/** Three sweeps at the default interval. */
const mostSweepSeconds = 900;

const many = (count: number | null): string => (count === null ? 'More than 10,000' : String(count));

type Found = { severity: ConditionOut['severity']; words: string; count?: number | null };
/** Null: there is no such condition. */
type Finder = (facts: OverviewFacts) => Found | null;

function queueWaits({ queues }: OverviewFacts): Found | null {
  const late = (queues ?? []).filter((one) => one.oldest_seconds > mostWaitingSeconds(one.name));
  if (late.length === 0) return null;
  const oldest = Math.round(Math.max(...late.map((one) => one.oldest_seconds)));
  const names = late.map(({ name }) => name).join(', ');
  return {
    severity: 'page',
    words: `A job in ${names} has not been done after ${oldest} s. Check that workers run and reach Postgres and Stripe.`,
  };
}

function sweepLate({ last_sweep: { age_seconds: age } }: OverviewFacts): Found | null {
  if (age === null || age <= mostSweepSeconds) return null;
  return {
    severity: 'page',
    words: `Stripe's event list was last read to its end ${Math.round(age / 60)} minutes ago: what a webhook did not bring is not found. Check the worker's log and the read budget.`,
  };
}

const finders: Record<ConditionCode, Finder> = {
  queue_unreachable: ({ queues }) =>
    queues === null
      ? {
          severity: 'page',
          words:
            "The queue's Redis cannot be reached: webhooks are refused, and Stripe sends them again. Bring it back.",
        }
      : null,
  no_worker: ({ processes }) =>
    processes.worker + processes.other === 0
      ? { severity: 'page', words: 'No worker runs: events are taken and wait. Start one.' }
      : null,
  queue_waits: queueWaits,
  events_failed: ({ events: { failed } }) =>
    failed === 0
      ? null
      : {
          severity: 'page',
          count: failed,
          words: `${many(failed)} of Stripe's events failed for good. Read their reasons, correct the cause and replay them.`,
        },
  sweep_late: sweepLate,
  webhook_key_missing: ({ webhooks: { endpoints_key_missing: count } }) =>
    count === 0
      ? null
      : {
          severity: 'page',
          count,
          words: `${count} webhook endpoints of products hear nothing: WEBHOOK_SECRET_KEY lacks the key of their secret.`,
        },
  stripe_throttled: ({ stripe_reads: reads }) =>
    reads === null || reads.allowed_per_second >= reads.per_second / 2
      ? null
      : {
          severity: 'ticket',
          words: 'Stripe refuses reads as too many (429): fewer are made. Lower STRIPE_READS_PER_SECOND.',
        },
  events_quarantined: ({ events: { quarantined } }) =>
    quarantined === 0
      ? null
      : {
          severity: 'ticket',
          count: quarantined,
          words: `${many(quarantined)} of Stripe's events wait for a customer or a price to be mapped.`,
        },
  events_not_seen: ({ unseenSeconds }) =>
    unseenSeconds <= 0
      ? null
      : {
          severity: 'ticket',
          words: `Stripe's events of ${Math.max(1, Math.round(unseenSeconds / 60))} minutes were never read and are listed no more. Run a reconcile since then.`,
        },
  drift_found: ({ drift }) =>
    drift === null || drift.differences === 0
      ? null
      : {
          severity: 'ticket',
          count: drift.differences,
          words: `The last reconcile found ${drift.differences} objects that differ from Stripe. Look at what it reports.`,
        },
  runs_failed: ({ runsFailed: count }) =>
    count === 0
      ? null
      : { severity: 'ticket', count, words: `${count} runs failed in the last day. Read their errors.` },
  prices_unverified: ({ pricesUnverified: count }) =>
    count === 0
      ? null
      : {
          severity: 'ticket',
          count,
          words: `${count} prices of the catalog are not what Stripe has. Correct them, or map the right ones.`,
        },
  webhook_endpoints_given_up: ({ endpointsGivenUp: count }) =>
    count === 0
      ? null
      : {
          severity: 'ticket',
          count,
          words: `${count} webhook endpoints of products were disabled, as they were gone or failed for too long. Tell their product, then enable them.`,
        },
  webhook_deliveries_wait: ({ webhooks: { deliveries_due: due } }) =>
    due <= mostDeliveriesDue
      ? null
      : {
          severity: 'ticket',
          count: due,
          words: `${due} messages to products are due and not sent. Check the workers and the endpoints.`,
        },
};

/** What needs somebody, the most urgent first. */
export const findConditions = (facts: OverviewFacts): ConditionOut[] =>
  conditionCodes.flatMap((code) => {
    const found = finders[code](facts);
    return found === null ? [] : [{ code, ...found, count: found.count ?? null }];
  });
