import type { BucketState } from '@billing/domain';
import { Prisma } from '../generated/client.ts';
import type { QueryJson } from '../query-json.ts';
import { columnsOf } from './account-key.ts';
import type { AccountKey, AskedCommand } from './account-key.ts';
import { eventJson, idsOf, reservationJson } from './event-rows.ts';
import type { StoredReservation, StoredUsageEvent } from './event-rows.ts';
import type { SourcesVersion } from './source-copies.ts';

export type ReadBatch = {
  /** In the order of the accounts. */
  versions: (SourcesVersion & AccountKey)[];
  events: StoredUsageEvent[];
  /** Those that are named. */
  reservations: StoredReservation[];
  /** Those that are held, of the accounts of which some are due. */
  held: StoredReservation[];
  /** Of the accounts that need them. */
  ended: EndedBucket[];
};

/** Ended buckets of an account: one by its `bucketKey`, or (`everyBucket`) all. */
export type AskedEnded = AccountKey & { bucketKey: string };
const everyBucket = '';

export const askEnded = (key: AccountKey, buckets: 'all' | readonly string[]): AskedEnded[] =>
  (buckets === 'all' ? [everyBucket] : buckets).map((bucketKey) => ({ ...key, bucketKey }));

export type EndedBucket = AccountKey & { bucket: BucketState };

export type BatchQuestion = {
  accounts: readonly AccountKey[];
  commands: readonly AskedCommand[];
  withHeld: readonly AccountKey[];
  withEnded: readonly AskedEnded[];
  /** Events that were recorded before are forgotten. */
  rememberedSince: Date;
};

/** Keys as rows: `alias(project_id, user_id, feature_code)`. */
function accountRows(keys: readonly AccountKey[], alias: string): Prisma.Sql {
  const { projects, users, features } = columnsOf(keys);
  return Prisma.sql`unnest(${projects}::text[], ${users}::text[], ${features}::text[]) AS ${Prisma.raw(alias)} (project_id, user_id, feature_code)`;
}

const sameAccount = (a: string, b: string): Prisma.Sql =>
  Prisma.raw(
    `${a}.project_id = ${b}.project_id AND ${a}.user_id = ${b}.user_id AND ${a}.feature_code = ${b}.feature_code`,
  );

/** `EndedBucket`s, as JSON. */
export function endedJson(asked: readonly AskedEnded[]): Prisma.Sql {
  const { projects, users, features } = columnsOf(asked);
  const keys = asked.map(({ bucketKey }) => bucketKey);
  return Prisma.sql`
        SELECT coalesce(json_agg(json_build_object('projectId', b.project_id, 'userId', b.user_id,
          'featureCode', b.feature_code, 'bucket', b.bucket)), '[]')
        FROM unnest(${projects}::text[], ${users}::text[], ${features}::text[], ${keys}::text[])
            AS a (project_id, user_id, feature_code, bucket_key)
          JOIN public.usage_ended_buckets b ON ${sameAccount('b', 'a')}
            AND (a.bucket_key = ${everyBucket} OR b.bucket_key = a.bucket_key)`;
}

type ProjectId = { projectId: string; id: string };
const projectsOf = (ids: readonly ProjectId[]): string[] => ids.map(({ projectId }) => projectId);
const textsOf = (ids: readonly ProjectId[]): string[] => ids.map(({ id }) => id);

/** A `ReadBatch`, as JSON. */
function batchJson(question: BatchQuestion): Prisma.Sql {
  const { commands, rememberedSince } = question;
  const named = commands.map(({ projectId, command }) => ({ projectId, ...idsOf(command) }));
  const events = named.flatMap(({ projectId, events: ids }) => ids.map((id) => ({ projectId, id })));
  const reservations = named.flatMap(({ projectId, reservation: id }) =>
    id === null ? [] : [{ projectId, id }],
  );
  return Prisma.sql`
    json_build_object(
      'versions', (
        SELECT coalesce(json_agg(json_build_object('projectId', a.project_id, 'userId', a.user_id,
          'featureCode', a.feature_code, 'ref', u.id, 'userVersion', coalesce(u.version, 0), 'projectVersion', p.version)), '[]')
        FROM ${accountRows(question.accounts, 'a')}
          JOIN public.projects p ON p.id = a.project_id
          LEFT JOIN public.users u ON u.project_id = a.project_id AND u.user_id = a.user_id),
      'events', (
        SELECT coalesce(json_agg(known.event), '[]')
        FROM (SELECT DISTINCT * FROM unnest(${projectsOf(events)}::text[], ${textsOf(events)}::text[]) AS one (project_id, event_id)) a
          JOIN public.usage_event_ids k ON k.project_id = a.project_id AND k.event_id = a.event_id
            AND k.recorded_at > ${rememberedSince}::timestamptz
          CROSS JOIN LATERAL (
            SELECT ${eventJson} AS event FROM public.usage_events e
            WHERE ${sameAccount('e', 'k')} AND e.usage_seq = k.usage_seq AND e.recorded_at = k.recorded_at
            OFFSET 0) known),
      'reservations', (
        SELECT coalesce(json_agg(${reservationJson}), '[]')
        FROM (SELECT DISTINCT * FROM unnest(${projectsOf(reservations)}::text[], ${textsOf(reservations)}::text[]) AS one (project_id, reservation_id)) a
          JOIN public.usage_reservations r ON r.project_id = a.project_id AND r.reservation_id = a.reservation_id),
      'held', (
        SELECT coalesce(json_agg(${reservationJson}), '[]')
        FROM ${accountRows(question.withHeld, 'a')}
          JOIN public.usage_reservations r ON ${sameAccount('r', 'a')} AND r.state = 'held'),
      'ended', (${endedJson(question.withEnded)}))`;
}

/**
 * Reads what a batch is decided by, once its rows are locked. It must be a statement of its own: the one that waited for
 * the locks sees other tables as they were before the wait, without what the winner wrote.
 */
export const readBatch = (query: QueryJson, question: BatchQuestion): Promise<ReadBatch> =>
  query<ReadBatch>(Prisma.sql`SELECT ${batchJson(question)}`);

/** The same without locks, and which of the accounts have a row, at one moment. */
export const readUnused = (
  query: QueryJson,
  question: BatchQuestion,
): Promise<{ read: ReadBatch; used: AccountKey[] }> =>
  query(Prisma.sql`
    SELECT json_build_object('read', ${batchJson(question)}, 'used', (
      SELECT coalesce(json_agg(json_build_object('projectId', a.project_id, 'userId', a.user_id,
        'featureCode', a.feature_code)), '[]')
      FROM ${accountRows(question.accounts, 'a')} JOIN public.usage_states s ON ${sameAccount('s', 'a')}))`);
