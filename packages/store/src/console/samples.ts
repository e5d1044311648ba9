import { sampleHours, secondMs, hourMs } from '@billing/domain';
import type { EventCountsOut, Instant, QueueStateOut, SampleWindow } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

/** The budget of reads from Stripe at one moment. */
export type StripeReads = { perSecond: number; allowedPerSecond: number; available: number };

/** Takes the sample of this moment, so that one worker makes it. False: another one did. */
export async function takeSampleSlot(database: Database, at: Instant): Promise<boolean> {
  const taken = await database.$executeRaw`
    INSERT INTO public.samples (at) VALUES (${new Date(at)}) ON CONFLICT (at) DO NOTHING`;
  return taken > 0;
}

const instant = (at: Instant): Prisma.Sql => Prisma.sql`to_timestamp(${at}::bigint / 1000.0)`;

/** Events that the ledger recorded in a window, by outcome. */
export const countEvents = (
  database: Pick<Database, '$queryJson'>,
  { from, to }: { from: Instant; to: Instant },
): Promise<EventCountsOut> =>
  database.$queryJson(Prisma.sql`
    SELECT json_build_object(
      'applied', count(*) FILTER (WHERE status = 'applied'),
      'stale', count(*) FILTER (WHERE status = 'stale'),
      'ignored', count(*) FILTER (WHERE status = 'ignored'),
      'quarantined', count(*) FILTER (WHERE status = 'quarantined'),
      'failed', count(*) FILTER (WHERE status = 'failed'))
    FROM public.stripe_events WHERE processed_at >= ${instant(from)} AND processed_at < ${instant(to)}`);

type NewSample = {
  at: Instant;
  queues: readonly QueueStateOut[];
  events: EventCountsOut;
  stripeReads: StripeReads | null;
};

export async function saveSample(
  database: Database,
  { at, queues, events, stripeReads }: NewSample,
): Promise<void> {
  await database.$executeRaw`
    UPDATE public.samples SET queues = ${JSON.stringify(queues)}::jsonb, events = ${JSON.stringify(events)}::jsonb,
      stripe_reads = nullif(${JSON.stringify(stripeReads)}::jsonb, 'null'::jsonb)
    WHERE at = ${new Date(at)}`;
}

/** A sample of `stepSeconds`, which end at `at`. */
export type SampleRow = { at: Instant; queues: QueueStateOut[]; events: EventCountsOut };

const sumOf = (outcome: keyof EventCountsOut): Prisma.Sql =>
  Prisma.sql`coalesce(sum((events ->> ${outcome}::text)::bigint), 0)`;

const most = (field: keyof QueueStateOut): Prisma.Sql => Prisma.sql`max((queue ->> ${field}::text)::float8)`;

/** The samples of a window in their order; of those that one step holds the greatest values, and all events. */
export function readSamples(
  database: Pick<Database, '$queryJson'>,
  { from, to, stepSeconds }: SampleWindow,
): Promise<SampleRow[]> {
  const step = stepSeconds * secondMs;
  const end = Prisma.sql`(ceil(extract(epoch FROM at) * 1000 / ${step}::bigint) * ${step}::bigint)::bigint`;
  const inWindow = Prisma.sql`at >= ${instant(from)} AND at < ${instant(to)}`;
  return database.$queryJson(Prisma.sql`
    SELECT coalesce(json_agg(json_build_object('at', step_end, 'queues', coalesce(queues, '[]'::json), 'events', events)
      ORDER BY step_end), '[]'::json)
    FROM (
      SELECT step_end, json_build_object('applied', ${sumOf('applied')}, 'stale', ${sumOf('stale')},
        'ignored', ${sumOf('ignored')}, 'quarantined', ${sumOf('quarantined')}, 'failed', ${sumOf('failed')}) AS events
      FROM (SELECT ${end} AS step_end, events FROM public.samples WHERE ${inWindow}) taken GROUP BY step_end) counted
    LEFT JOIN (
      SELECT step_end, json_agg(json_build_object('name', name, 'waiting', waiting, 'active', active, 'delayed', delayed,
        'failed', failed, 'oldest_seconds', oldest) ORDER BY name) AS queues
      FROM (
        SELECT step_end, queue ->> 'name' AS name, ${most('waiting')} AS waiting, ${most('active')} AS active,
          ${most('delayed')} AS delayed, ${most('failed')} AS failed, ${most('oldest_seconds')} AS oldest
        FROM (SELECT ${end} AS step_end, queues FROM public.samples WHERE ${inWindow}) taken,
          jsonb_array_elements(taken.queues) queue
        GROUP BY step_end, queue ->> 'name') each_queue
      GROUP BY step_end) of_queues USING (step_end)`);
}

/** Removes samples that are no longer kept. */
export const deleteOldSamples = async (database: Database, now: Instant): Promise<number> =>
  database.$executeRaw`DELETE FROM public.samples WHERE at < ${new Date(now - sampleHours * hourMs)}`;
