import { Prisma } from '../generated/client.ts';
import type { Database } from '../create-database.ts';
import { deriveState } from '../derive-answer.ts';
import { readSources } from '../read-sources.ts';
import type { UserSources } from '../read-sources.ts';
import type { EmitContext } from './emit-users.ts';
import { digestOf } from './write-messages.ts';

type ToldRow = { userId: string; digest: string; nextChangeAt: number | null };

/**
 * What the users have who have something else than their project was told, as far as that is known without a lock: whoever
 * changes at this moment is marked, and told of for that.
 */
export async function findDiffering(
  database: Pick<Database, '$queryJson'>,
  { settings, now }: EmitContext,
  { projectId, userIds }: { projectId: string; userIds: readonly string[] },
): Promise<Map<string, UserSources>> {
  const sources = await readSources(database, projectId, userIds);
  const told = await database.$queryJson<ToldRow[]>(Prisma.sql`
    SELECT coalesce(json_agg(json_build_object('userId', s.user_id, 'digest', encode(s.digest, 'hex'),
      'nextChangeAt', (extract(epoch FROM s.next_change_at) * 1000)::bigint)), '[]')
    FROM public.webhook_states s JOIN public.projects p ON p.id = s.project_id AND p.base_line = s.base_line
    WHERE s.project_id = ${projectId} AND s.user_id = ANY(${[...userIds]}::text[])`);
  const known = new Map(told.map((row) => [row.userId, row]));
  const asOf = now();
  const differs = (userId: string, read: UserSources): boolean => {
    const { state, initial } = deriveState(read, settings, { projectId, asOf });
    const { list, nextChangeAt } = state;
    const before = known.get(userId);
    // Of whom nothing is known: what they have besides what everybody has is to be told.
    if (before === undefined) return nextChangeAt !== null || digestOf(initial()) !== digestOf(list);
    return before.digest !== digestOf(list) || before.nextChangeAt !== nextChangeAt;
  };
  return new Map([...sources].filter(([userId, read]) => differs(userId, read)));
}

/** Whether an endpoint is enabled, and there. */
export const isEndpointEnabled = (
  database: Pick<Database, '$queryJson'>,
  endpointId: string,
): Promise<boolean> =>
  database.$queryJson<boolean>(Prisma.sql`
    SELECT to_json(EXISTS (SELECT FROM public.webhook_endpoints
      WHERE id = ${endpointId} AND is_enabled AND deleted_at IS NULL))`);
