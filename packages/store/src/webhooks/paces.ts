import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

export type Pace = 'boundaries' | 'fan_out';

/** So much of the rate is taken at a time. */
const partSeconds = 0.25;
/** A part that is taken later than it could have been, by less than that, costs none of the rate. */
const latenessSeconds = 0.1;

/**
 * Takes a part of what all workers together may tell, by Postgres's clock: returns how many, 0 while the part before is not
 * used up. What is not used is given back (`giveBack`).
 */
export async function takePart(
  database: Pick<Database, '$transactJson'>,
  kind: Pace,
  perSecond: number,
): Promise<number> {
  const part = Math.max(1, Math.floor(perSecond * partSeconds));
  const { taken } = await database.$transactJson((query) =>
    query<{ taken: number }>(Prisma.sql`
      WITH taken AS (
        UPDATE public.webhook_paces
        SET free_at = greatest(free_at, clock_timestamp() - make_interval(secs => ${latenessSeconds}::double precision))
          + make_interval(secs => ${part / perSecond}::double precision)
        WHERE kind = ${kind} AND free_at <= clock_timestamp() RETURNING 1)
      SELECT json_build_object('taken', (SELECT count(*) FROM taken))`),
  );
  return taken > 0 ? part : 0;
}

export async function giveBack(
  database: Pick<Database, '$executeRaw'>,
  kind: Pace,
  { unused, perSecond }: { unused: number; perSecond: number },
): Promise<void> {
  if (unused <= 0) return;
  await database.$executeRaw`
    UPDATE public.webhook_paces SET free_at = free_at - make_interval(secs => ${unused / perSecond}::double precision)
    WHERE kind = ${kind}`;
}
