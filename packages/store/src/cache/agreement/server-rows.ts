import type { Database } from '../../create-database.ts';
import { agree, areSame } from './agree.ts';
import type { Agreed, Servers } from './agree.ts';

type CacheDatabase = Pick<Database, '$queryRaw' | '$transaction' | '$executeRaw'>;

/** A process that has not renewed its row for so long is dead, or cut off and uses the cache no more. */
export const expiresAfterMs = 10_000;
const forgottenAfterMs = 600_000;
/** Rows younger than this are being published by who made the change. */
export const pendingAfterMs = 300;

type GenerationRow = { servers: string[]; epochs: bigint[]; epoch: bigint; changedMs: bigint | null };

type Exchanging = {
  processId: string;
  /** Null: a command line. */
  service: string | null;
  serversAt: (timeline: string) => Servers;
};

export type Exchanged = {
  timeline: string;
  /** Of this process. */
  servers: Servers;
  agreed: Agreed;
  /** How long ago the agreement last changed; null: it never has. */
  changedMsAgo: number | null;
  others: Servers[];
};

/** Says which servers this process uses, and reads what the others do: in one transaction, one process after the other. */
export async function exchangeServers(
  database: CacheDatabase,
  { processId, service, serversAt }: Exchanging,
): Promise<Exchanged> {
  return database.$transaction(async (tx) => {
    const [row] = await tx.$queryRaw<(GenerationRow & { timeline: string })[]>`
      SELECT servers, epochs, epoch, left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline,
        (extract(epoch FROM clock_timestamp() - changed_at) * 1000)::bigint AS "changedMs"
      FROM public.cache_generation WHERE is_only FOR UPDATE`;
    if (row === undefined) throw new Error('the row of the cache generation is missing');
    const servers = serversAt(row.timeline);
    const known = { servers: row.servers, epochs: row.epochs.map(Number), epoch: Number(row.epoch) };
    const [own] = await tx.$queryRaw<{ servers: string[] }[]>`
      SELECT servers FROM public.cache_processes WHERE process_id = ${processId}`;
    const others = await tx.$queryRaw<{ servers: string[] }[]>`
      SELECT servers FROM public.cache_processes WHERE process_id <> ${processId} AND servers <> ${[...servers]}::text[]
        AND seen_at > clock_timestamp() - make_interval(secs => ${expiresAfterMs / 1000}::double precision)`;
    const agreed = agree(known, {
      mine: servers,
      before: own?.servers ?? null,
      others: others.map((other) => other.servers),
    });
    const isChange = agreed.epoch !== known.epoch || !areSame(agreed.servers, known.servers);
    if (isChange)
      await tx.$executeRaw`
        UPDATE public.cache_generation SET servers = ${[...agreed.servers]}::text[],
          epochs = ${agreed.epochs.map(BigInt)}::bigint[], epoch = ${BigInt(agreed.epoch)}::bigint,
          changed_at = CASE WHEN servers = '{}' THEN NULL ELSE clock_timestamp() END
        WHERE is_only`;
    await tx.$executeRaw`
      INSERT INTO public.cache_processes (process_id, servers, seen_at, service)
      VALUES (${processId}, ${[...servers]}::text[], clock_timestamp(), ${service})
      ON CONFLICT (process_id) DO UPDATE SET servers = excluded.servers, seen_at = excluded.seen_at`;
    await tx.$executeRaw`
      DELETE FROM public.cache_processes
      WHERE seen_at < clock_timestamp() - make_interval(secs => ${forgottenAfterMs / 1000}::double precision)`;
    const hasFormer = known.servers.length > 0;
    return {
      timeline: row.timeline,
      servers,
      agreed,
      changedMsAgo: isChange && hasFormer ? 0 : row.changedMs === null ? null : Number(row.changedMs),
      others: others.map((other) => other.servers),
    };
  });
}

export type Polled = {
  timeline: string;
  epoch: number;
  isWritten: boolean;
  hasPending: boolean;
  others: Servers[];
};

/** What the other processes use, and whether anything waits to be told to the cache: one statement. */
export async function pollServers(
  database: CacheDatabase,
  { processId, servers }: { processId: string; servers: Servers },
): Promise<Polled> {
  const [row] = await database.$queryRaw<
    { timeline: string; epoch: bigint; isWritten: boolean; hasPending: boolean; others: string[][] }[]
  >`
    SELECT epoch, left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline,
      EXISTS (SELECT FROM public.cache_processes WHERE process_id = ${processId} AND servers = ${[...servers]}::text[]
        AND seen_at > clock_timestamp() - make_interval(secs => ${expiresAfterMs / 1000}::double precision)) AS "isWritten",
      EXISTS (SELECT FROM public.cache_invalidations
        WHERE created_at <= clock_timestamp() - make_interval(secs => ${pendingAfterMs / 1000}::double precision)) AS "hasPending",
      coalesce((SELECT jsonb_agg(to_jsonb(other.servers)) FROM public.cache_processes other
        WHERE other.process_id <> ${processId} AND other.servers <> ${[...servers]}::text[]
          AND other.seen_at > clock_timestamp() - make_interval(secs => ${expiresAfterMs / 1000}::double precision)), '[]') AS others
    FROM public.cache_generation WHERE is_only`;
  if (row === undefined) throw new Error('the row of the cache generation is missing');
  return { ...row, epoch: Number(row.epoch) };
}

/** Says that this process still uses what it said. */
export async function renewServers(database: CacheDatabase, processId: string): Promise<void> {
  await database.$executeRaw`
    UPDATE public.cache_processes SET seen_at = clock_timestamp() WHERE process_id = ${processId}`;
}

/** The process uses the cache no more. */
export async function withdrawServers(database: CacheDatabase, processId: string): Promise<void> {
  await database.$executeRaw`DELETE FROM public.cache_processes WHERE process_id = ${processId}`;
}
