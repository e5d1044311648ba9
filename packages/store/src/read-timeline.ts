import type { Database } from './create-database.ts';

/**
 * The timeline of the Postgres that answers, as eight hex digits: another one after each promotion of a replica. After one that
 * lost the last commits, version numbers come again with other content, and only the timeline tells them apart. Any
 * role may ask. Throws where the server is in recovery, which is no primary.
 */
export async function readTimeline(database: Pick<Database, '$queryRaw'>): Promise<string> {
  const [row] = await database.$queryRaw<{ timeline: string }[]>`
    SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline`;
  if (row === undefined) throw new Error('Postgres answered no timeline');
  return row.timeline;
}
