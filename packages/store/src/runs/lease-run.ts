import type { Database } from '../create-database.ts';
import type { Run } from '../generated/client.ts';

/** How long a run stays with a worker that saves nothing. */
const leaseSeconds = 60;

/**
 * Takes a run to work on it. Null: it is over, another worker has it, or an older reconcile run goes first, as two at
 * once would only compete for the same reads. All times are Postgres's, so that no process's clock matters.
 */
export async function claimRun(
  database: Database,
  { runId, workerId }: { runId: string; workerId: string },
): Promise<Run | null> {
  const claimed = await database.$executeRaw`
    UPDATE public.runs SET
      locked_by = ${workerId}, locked_until = clock_timestamp() + make_interval(secs => ${leaseSeconds}),
      started_at = coalesce(started_at, clock_timestamp()), progress_at = coalesce(progress_at, clock_timestamp())
    WHERE id = ${runId} AND status = 'running'
      AND (locked_until IS NULL OR locked_until < clock_timestamp() OR locked_by = ${workerId})
      AND NOT (kind = 'reconcile' AND EXISTS (
        SELECT FROM public.runs older
        WHERE older.kind = 'reconcile' AND older.status = 'running'
          AND (older.created_at, older.id) < (runs.created_at, runs.id)))`;
  return claimed === 0 ? null : database.run.findUnique({ where: { id: runId } });
}

export type RunMark = { runId: string; workerId: string; state: object; result: object };

/** Saves how far a run got, and extends the lease. False: another worker has it by now; stop. */
export async function saveRun(
  database: Database,
  { runId, workerId, state, result }: RunMark,
): Promise<boolean> {
  const saved = await database.$executeRaw`
    UPDATE public.runs SET state = ${JSON.stringify(state)}::jsonb, result = ${JSON.stringify(result)}::jsonb, error = NULL,
      progress_at = clock_timestamp(), locked_until = clock_timestamp() + make_interval(secs => ${leaseSeconds})
    WHERE id = ${runId} AND locked_by = ${workerId} AND status = 'running'`;
  return saved > 0;
}

/** Releases a run that has to wait, with the reason; returns for how long it has made no progress. */
export async function pauseRun(
  database: Database,
  { runId, workerId, error }: { runId: string; workerId: string; error: string | null },
): Promise<{ stuckMs: number }> {
  const rows = await database.$queryRaw<{ stuckMs: number }[]>`
    UPDATE public.runs SET locked_until = NULL, locked_by = NULL, error = ${error}
    WHERE id = ${runId} AND locked_by = ${workerId} AND status = 'running'
    RETURNING (extract(epoch FROM clock_timestamp() - progress_at) * 1000)::float8 AS "stuckMs"`;
  return rows[0] ?? { stuckMs: 0 };
}

export type RunEnd = {
  runId: string;
  /** Null: whichever worker has it. */
  workerId: string | null;
  status: 'done' | 'failed';
  /** Absent: as it was saved last. */
  result?: object;
  error?: string;
};

/** Ends a run for good. */
export async function endRun(database: Database, end: RunEnd): Promise<void> {
  const { runId, workerId, status, result, error = null } = end;
  await database.$executeRaw`
    UPDATE public.runs SET status = ${status}, error = ${error}, locked_by = NULL, locked_until = NULL,
      finished_at = clock_timestamp(),
      -- Of an erasure: whose it is, and what that user had.
      params = params - '{sealed,object_ids,customer_ids,stripe_customer_ids}'::text[],
      result = coalesce(${result === undefined ? null : JSON.stringify(result)}::jsonb, result)
    WHERE id = ${runId} AND status = 'running' AND (${workerId}::text IS NULL OR locked_by = ${workerId})`;
  await database.$executeRaw`
    DELETE FROM public.run_objects USING public.runs WHERE run_id = ${runId} AND runs.id = run_id AND runs.status <> 'running'`;
}

/** Ends a run that no worker took; one that was taken goes on. */
export async function withdrawRun(database: Database, runId: string): Promise<void> {
  await database.$executeRaw`
    UPDATE public.runs SET status = 'failed', error = 'no worker took it in time', finished_at = clock_timestamp()
    WHERE id = ${runId} AND status = 'running' AND started_at IS NULL`;
}

/** Ends the imports whose command line is gone: no worker goes on with them, the same command does. */
export async function endLostImports(database: Database): Promise<void> {
  await database.$executeRaw`
    UPDATE public.runs SET status = 'failed', error = 'the command line ended: run the same command again',
      locked_by = NULL, locked_until = NULL, finished_at = clock_timestamp()
    WHERE kind = 'import' AND status = 'running'
      AND coalesce(locked_until, created_at + interval '1 minute') < clock_timestamp()`;
}

/** Runs that no worker has: their jobs are lost, or about to come. Those in the list have no job. */
export async function findIdleRuns(database: Database): Promise<{ id: string; kind: string }[]> {
  return database.$queryRaw<{ id: string; kind: string }[]>`
    SELECT id, kind FROM public.runs
    WHERE status = 'running' AND kind <> ALL('{import,base_line,backfill}'::text[]) AND (locked_until IS NULL OR locked_until < clock_timestamp())
    ORDER BY created_at, id LIMIT 100`;
}

export const getRun = (database: Database, runId: string): Promise<Run | null> =>
  database.run.findUnique({ where: { id: runId } });

/** Runs that finished more than 90 days ago. */
export async function deleteOldRuns(database: Database): Promise<void> {
  await database.$executeRaw`
    DELETE FROM public.runs WHERE status <> 'running' AND finished_at < clock_timestamp() - make_interval(hours => 90 * 24)`;
}
