import { z } from 'zod';
import { conditionCodes } from '../../overview/condition-codes.ts';
import { timestamp } from '../../time.ts';

const count = z.number().int();

/** One queue at one moment. */
export const queueStateOut = z
  .object({
    name: z.string(),
    waiting: count,
    active: count,
    delayed: count.describe('Put back for another try, or planned for later.'),
    failed: count,
    oldest_seconds: z
      .number()
      .describe('Age of the oldest job that is due and not done, retries included; 0: there is none.'),
  })
  .meta({ id: 'QueueState' });
export type QueueStateOut = z.output<typeof queueStateOut>;

/** What became of events, by outcome. */
export const eventCountsOut = z
  .object({ applied: count, stale: count, ignored: count, quarantined: count, failed: count })
  .meta({ id: 'EventCounts' });
export type EventCountsOut = z.output<typeof eventCountsOut>;

/** How often a sample is taken, and for how long it is kept. */
export const sampleSeconds = 10;
export const sampleHours = 48;
/** One answer has no more. */
export const mostSamples = 1_000;

export const samplesQuery = z
  .strictObject({
    from: timestamp('From this moment on (inclusive). Default: an hour before `to`.').optional(),
    to: timestamp('Before this moment (exclusive); later than `from`. Default: now.').optional(),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ['to'],
    message: 'must be later than from',
  });
export type SamplesQuery = z.output<typeof samplesQuery>;

export const sampleOut = z
  .object({
    at: z.iso.datetime().describe('The end of the time that the sample stands for.'),
    queues: z
      .array(queueStateOut)
      .describe("Of several samples the greatest values; empty: the queue's Redis did not answer."),
    events: eventCountsOut.describe('Events that the ledger recorded in that time.'),
  })
  .meta({ id: 'Sample' });
export type SampleOut = z.output<typeof sampleOut>;

export const sampleList = z
  .object({
    data: z.array(sampleOut),
    step_seconds: count.describe(
      `The time that each sample stands for: ${sampleSeconds} s, and of long windows a multiple, so that no more than ${mostSamples} are answered.`,
    ),
  })
  .meta({ id: 'SampleList' });
export type SampleListOut = z.output<typeof sampleList>;

/** Something that somebody has to look at. */
export const conditionOut = z
  .object({
    code: z.enum(conditionCodes).describe('Stable; more may come.'),
    severity: z.enum(['page', 'ticket']).describe('`page`: now; `ticket`: today.'),
    words: z.string().describe('What it is and what to do, for people.'),
    count: count.nullable().describe('How many; null: it is no matter of number.'),
  })
  .meta({ id: 'Condition' });
export type ConditionOut = z.output<typeof conditionOut>;

const manyMeans = 'null: more than 10,000.';

const stripeReadsOut = z
  .object({
    per_second: z.number().describe('`STRIPE_READS_PER_SECOND`.'),
    allowed_per_second: z.number().describe('Less after Stripe answered 429; it recovers by itself.'),
    available: z.number().describe('Reads that may be made at once.'),
    at: z.iso.datetime(),
  })
  .meta({ id: 'StripeReads' });

const foundDriftOut = z
  .object({
    run_id: z.string(),
    finished_at: z.iso.datetime(),
    differences: count.describe('Objects that differed from Stripe, and prices.'),
  })
  .meta({ id: 'FoundDrift' });

export const overviewOut = z
  .object({
    at: z.iso.datetime(),
    processes: z
      .object({ api: count, worker: count, other: count.describe('Of an older version.') })
      .describe('Processes that said in the last ten seconds that they run.'),
    queues: z.array(queueStateOut).nullable().describe("Null: the queue's Redis cannot be reached."),
    events: z
      .object({ failed: count.nullable(), quarantined: count.nullable() })
      .describe(`What waits in the ledger for somebody; ${manyMeans}`),
    stripe_reads: stripeReadsOut
      .nullable()
      .describe('The budget of reads from Stripe; null: no worker has said.'),
    last_sweep: z
      .object({ succeeded_at: z.iso.datetime().nullable(), age_seconds: z.number().nullable() })
      .describe("Of Stripe's event list; null: none has succeeded yet."),
    drift: foundDriftOut.nullable().describe('What the last reconcile that ended found; null: none has.'),
    webhooks: z
      .object({
        endpoints_enabled: count,
        endpoints_disabled: count,
        endpoints_key_missing: count.describe('`WEBHOOK_SECRET_KEY` lacks the key of their secret.'),
        deliveries_due: count.describe('Due and not under way; at most 100,000 are counted.'),
      })
      .describe('To products.'),
    conditions: z.array(conditionOut).describe('What needs somebody, the most urgent first.'),
  })
  .meta({ id: 'Overview' });
export type OverviewOut = z.output<typeof overviewOut>;
