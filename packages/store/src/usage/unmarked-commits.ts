import type { Clock, Instant } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import type { QueryJson } from '../query-json.ts';

/** Much longer than the time between two questions, and than a process may be held up between them. */
export const unmarkedKeptMinutes = 10;
/** A process that asked less often has missed what was deleted meanwhile. */
const longestGapMs = 60_000;
const askMs = 1_000;
/** What clocks of processes may differ by. */
const clockDifferenceMs = 1_000;

/** Notes in the transaction that its commit makes copies old which Redis could not be told of. */
export async function noteUnmarked(query: QueryJson): Promise<void> {
  await query(Prisma.sql`
    WITH noted AS (
      INSERT INTO public.usage_unmarked_commits DEFAULT VALUES ON CONFLICT DO NOTHING RETURNING 1)
    SELECT json_build_object('noted', (SELECT count(*) FROM noted))`);
}

type Answer = { snapshot: string; isNew: boolean };

/** Whether such commits became visible since a snapshot, and the present one; those that were visible in it are left out. */
const askSince = (database: Pick<Database, '$queryJson'>, last: string | null): Promise<Answer> =>
  database.$queryJson<Answer>(Prisma.sql`
    SELECT json_build_object('snapshot', pg_current_snapshot()::text, 'isNew', ${last}::text IS NOT NULL AND EXISTS (
      SELECT 1 FROM public.usage_unmarked_commits
      WHERE changed_in >= pg_snapshot_xmin(${last}::text::pg_snapshot)::text::bigint
        AND NOT pg_visible_in_snapshot(changed_in::text::xid8, ${last}::text::pg_snapshot)))`);

export type UnmarkedCommits = {
  /**
   * Since when Redis was told of all commits, as far as this process knows: what was read later may be served from a copy
   * for as long as it is kept. Infinite before the first answer.
   */
  toldSince: () => Instant;
  /** Asks once. Throws where Postgres does not answer. */
  ask: () => Promise<void>;
};

/**
 * Follows the commits that Redis was not told of. While Postgres does not answer, what was known counts on: it is then the
 * one thing that is out of order, and copies are right. Once it answers again, nothing that was read before is trusted for long.
 */
export function followUnmarkedCommits({ database, clock }: FollowDeps): UnmarkedCommits {
  let last: string | null = null;
  let askedAt = -Infinity;
  let toldSince = Number.POSITIVE_INFINITY;

  async function ask(): Promise<void> {
    const startedAt = performance.now();
    const since = startedAt - askedAt > longestGapMs ? null : last;
    last = null;
    const { snapshot, isNew } = await withDeadline(askSince(database, since), {
      ms: askMs,
      onTimeout: () => new Error('Postgres did not tell in time of what Redis was not told'),
    });
    if (since === null || isNew) toldSince = clock() + clockDifferenceMs;
    last = snapshot;
    askedAt = startedAt;
  }

  return { toldSince: () => toldSince, ask };
}

type FollowDeps = { database: Pick<Database, '$queryJson'>; clock: Clock };
