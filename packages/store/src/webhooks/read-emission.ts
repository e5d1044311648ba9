import type { ToldEntry, ToldState } from '@billing/domain';
import { Prisma } from '../generated/client.ts';
import type { QueryJson } from '../query-json.ts';
import { thenByIndex } from './read-by-index.ts';

/** An endpoint as far as it matters for what is made for it. */
export type WantingEndpoint = {
  id: string;
  eventTypes: string[];
  payload: 'full' | 'thin';
  delivery: 'latest' | 'every';
};

type Mark = { id: number; userId: string; cause: string | null };
type StateRow = { userId: string; version: number; list: ToldEntry[]; nextChangeAt: number | null };

export type LockedUser = { ref: number; userId: string; version: number };

/** What is told to a project, and what was. */
export type Emission = {
  tellsChanges: boolean;
  projectVersion: number;
  baseLine: number;
  /** A base line is under way, of the users up to this row; null: none is. */
  unreachedUpTo: number | null;
  endpoints: WantingEndpoint[];
  marks: Mark[];
  states: ReadonlyMap<string, ToldState>;
};

type Users = { projectId: string; userIds: readonly string[] };

const lockedUsers = Prisma.raw(
  thenByIndex(
    `coalesce(json_agg(json_build_object('ref', id, 'userId', user_id, 'version', version)), '[]')`,
  ),
);

/**
 * Locks the rows of users until the transaction ends: nobody changes what they have meanwhile. `waits`: for those whom another
 * transaction holds; else they are left out.
 */
export async function lockUsers(
  query: QueryJson,
  { projectId, userIds, waits }: Users & { waits: boolean },
): Promise<LockedUser[]> {
  return query<LockedUser[]>(Prisma.sql`
    SELECT ${lockedUsers} FROM (
      SELECT id, user_id, version FROM public.users WHERE project_id = ${projectId} AND user_id = ANY(${[...userIds]}::text[])
      ORDER BY id FOR NO KEY UPDATE ${Prisma.raw(waits ? '' : 'SKIP LOCKED')}) locked`);
}

/** The enabled endpoints of the row `p` of `projects`. */
export const endpointsOfProject = Prisma.sql`
  (SELECT coalesce(json_agg(json_build_object('id', e.id, 'eventTypes', e.event_types, 'payload', e.payload,
      'delivery', e.delivery) ORDER BY e.id), '[]')
    FROM public.webhook_endpoints e WHERE e.project_id = p.id AND e.is_enabled AND e.deleted_at IS NULL)`;

type Row = Omit<Emission, 'states'> & { states: StateRow[] };

/** After their lock, as a statement of its own: it sees what was committed until then. */
export async function readEmission(query: QueryJson, { projectId, userIds }: Users): Promise<Emission> {
  const ids = [...userIds];
  const { states, ...row } = await query<Row>(Prisma.sql`
    SELECT json_build_object('tellsChanges', p.tells_changes, 'projectVersion', p.version, 'baseLine', p.base_line,
      'endpoints', ${endpointsOfProject},
      'unreachedUpTo', (SELECT f.last_user FROM public.webhook_fan_outs f
        WHERE f.project_id = p.id AND f.kind = 'base_line'),
      'marks', (SELECT coalesce(json_agg(json_build_object('id', m.id, 'userId', m.user_id, 'cause', m.cause) ORDER BY m.id), '[]')
        FROM public.webhook_marks m
        WHERE m.project_id = ${projectId} AND m.user_id = ANY(${ids}::text[]) AND m.crossing IS NULL),
      'states', (SELECT coalesce(json_agg(json_build_object('userId', s.user_id, 'version', s.version, 'list', s.entitlements,
          'nextChangeAt', (extract(epoch FROM s.next_change_at) * 1000)::bigint)), '[]')
        FROM public.webhook_states s
        WHERE s.project_id = ${projectId} AND s.user_id = ANY(${ids}::text[]) AND s.base_line = p.base_line))
    FROM public.projects p WHERE p.id = ${projectId}`);
  return { ...row, states: new Map(states.map(({ userId, ...state }) => [userId, state])) };
}

/** Deletes what is left of users who are gone. */
export async function forgetGone(query: QueryJson, { projectId, userIds }: Users): Promise<void> {
  const isGone = (table: string): Prisma.Sql => Prisma.sql`
    DELETE FROM ${Prisma.raw(`public.${table}`)} t WHERE t.project_id = ${projectId} AND t.user_id = ANY(${[...userIds]}::text[])
      AND NOT EXISTS (SELECT FROM public.users u WHERE u.project_id = t.project_id AND u.user_id = t.user_id)
    RETURNING 1`;
  await query(Prisma.sql`
    WITH marks AS (${isGone('webhook_marks')}), states AS (${isGone('webhook_states')})
    SELECT json_build_object('marks', (SELECT count(*) FROM marks), 'states', (SELECT count(*) FROM states))`);
}

/** Deletes states that say nothing any more: of an earlier base line, or of a project that tells nothing. */
export async function forgetEarlier(
  query: QueryJson,
  { projectId, userIds, emission }: Users & { emission: Emission },
): Promise<void> {
  await query(Prisma.sql`
    WITH states AS (
      DELETE FROM public.webhook_states WHERE project_id = ${projectId} AND user_id = ANY(${[...userIds]}::text[])
        AND (base_line < ${emission.baseLine} OR ${!emission.tellsChanges}) RETURNING 1)
    SELECT json_build_object('states', (SELECT count(*) FROM states))`);
}
