import { reconcileResult } from '@billing/domain';
import type { Instant } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import type { StripeReads } from './samples.ts';

/** More are not counted. */
const mostCounted = 10_000;

type Counted = {
  api: number;
  worker: number;
  other: number;
  failed: number;
  quarantined: number;
  sweptAt: Instant | null;
  unseenSeconds: number;
  reconcile: { runId: string; finishedAt: Instant; result: unknown } | null;
  runsFailed: number;
  pricesUnverified: number;
  reads: (StripeReads & { at: Instant }) | null;
};

export type OverviewRow = Omit<Counted, 'failed' | 'quarantined' | 'reconcile'> & {
  /** Null: very many. */
  failed: number | null;
  quarantined: number | null;
  drift: { runId: string; finishedAt: Instant; differences: number } | null;
};

const milliseconds = (column: string): Prisma.Sql =>
  Prisma.raw(`(extract(epoch FROM ${column}) * 1000)::bigint`);

/** The statuses are written out: only then Postgres knows that the partial index has them. */
const waiting = (status: 'failed' | 'quarantined'): Prisma.Sql =>
  Prisma.sql`(SELECT count(*) FROM (SELECT FROM public.stripe_events WHERE status = ${Prisma.raw(`'${status}'`)}
    LIMIT ${mostCounted + 1}) one)`;

/** Processes that renewed their row; each does so every three seconds. */
const running = (service: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`(SELECT count(*) FROM public.cache_processes
    WHERE service ${service} AND seen_at > clock_timestamp() - interval '10 seconds')`;

/** How it stands, in one statement. `mode`: of Stripe's key. */
export async function readOverview(
  database: Pick<Database, '$queryJson'>,
  { mode }: { mode: string },
): Promise<OverviewRow> {
  const { reconcile, ...counted } = await database.$queryJson<Counted>(Prisma.sql`
    SELECT json_build_object(
      'api', ${running(Prisma.sql`= 'api'`)},
      'worker', ${running(Prisma.sql`= 'worker'`)},
      'other', ${running(Prisma.sql`IS NULL`)},
      'failed', ${waiting('failed')},
      'quarantined', ${waiting('quarantined')},
      'sweptAt', (SELECT ${milliseconds('succeeded_at')} FROM public.event_sweeps WHERE mode = ${mode}),
      'unseenSeconds', coalesce((SELECT extract(epoch FROM unseen_to - unseen_from) FROM public.event_sweeps
        WHERE mode = ${mode}), 0),
      'reconcile', (SELECT json_build_object('runId', id, 'finishedAt', ${milliseconds('finished_at')}, 'result', result)
        FROM public.runs WHERE status = 'done' AND kind = 'reconcile' AND finished_at IS NOT NULL
        ORDER BY created_at DESC, id DESC LIMIT 1),
      'runsFailed', (SELECT count(*) FROM public.runs
        WHERE status = 'failed' AND finished_at > clock_timestamp() - interval '1 day'),
      'pricesUnverified', (SELECT count(*) FROM public.prices WHERE verify_at IS NOT NULL AND verify_problem IS NOT NULL),
      'reads', (SELECT stripe_reads || jsonb_build_object('at', ${milliseconds('at')}) FROM public.samples
        WHERE stripe_reads IS NOT NULL ORDER BY samples.at DESC LIMIT 1))`);
  const { failed, quarantined } = counted;
  return {
    ...counted,
    failed: failed > mostCounted ? null : failed,
    quarantined: quarantined > mostCounted ? null : quarantined,
    drift: reconcile === null ? null : { ...reconcile, differences: differencesIn(reconcile.result) },
  };
}

/** Of a result that an older version wrote in another form: none. */
function differencesIn(result: unknown): number {
  const parsed = reconcileResult.safeParse(result);
  if (!parsed.success) return 0;
  const { data } = parsed;
  return [
    data.subscriptions_updated,
    data.subscriptions_missing_in_stripe,
    data.purchases_updated,
    data.purchases_missing_in_stripe,
    data.prices_differing ?? 0,
    data.prices_missing_in_stripe ?? 0,
  ].reduce((sum, one) => sum + one, 0);
}
