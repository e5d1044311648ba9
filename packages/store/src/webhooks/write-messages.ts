import { createHash, randomUUID } from 'node:crypto';
import { toldText, toTimestampOrNull, wantsType } from '@billing/domain';
import type { MessageBody, ToldEntry, ToldState } from '@billing/domain';
import type { PendingInvalidation } from '../change-user.ts';
import type { QueryJson } from '../query-json.ts';
import { sqlTemplate } from '../sql-template.ts';
import { stillPending } from './read-by-index.ts';
import type { WantingEndpoint } from './read-emission.ts';

/** A message for the endpoints that want its type. */
export type NewMessage = {
  userId: string | null;
  version: number | null;
  body: MessageBody;
  /** For this endpoint alone, whatever it wants. */
  only?: string;
  /** Not for this one. */
  except?: string | undefined;
  /** Sent only once the cache knows the version, or a second later. */
  isLate?: boolean;
};

export type ToldUser = { ref: number; userId: string; state: ToldState };

export type MessageWrite = {
  projectId: string;
  baseLine: number;
  endpoints: readonly WantingEndpoint[];
  states?: readonly ToldUser[];
  /** References of users whose version grows by one. */
  bumps?: readonly number[];
  /** Ids of marks that are done. */
  marks?: readonly number[];
  messages: readonly NewMessage[];
};

export type WrittenMessages = {
  pending: PendingInvalidation[];
  /** Types of the messages that were made. */
  types: string[];
  /** Ids of those that wait for the invalidations. */
  late: string[];
};

/** The digest of a list: equal for lists without a difference. */
export const digestOf = (list: readonly ToldEntry[]): string =>
  createHash('sha256').update(toldText(list)).digest('hex');

/** A row of `webhook_states`, as JSON. */
export const toStateRow = ({ ref, userId, state }: ToldUser) => ({
  ref,
  user_id: userId,
  version: state.version,
  entitlements: state.list,
  digest: digestOf(state.list),
  next_change_at: toTimestampOrNull(state.nextChangeAt),
});

/** The columns of such rows. */
export const stateRecord =
  'ref bigint, user_id text, version bigint, entitlements jsonb, digest text, next_change_at timestamptz';

export const stateColumns = 'project_id, user_id, version, entitlements, digest, next_change_at, base_line';
export const stateValues =
  "$project_id::text, n.user_id, n.version, n.entitlements, decode(n.digest, 'hex'), n.next_change_at, $base_line::bigint";
export const stateUpdates = `version = excluded.version, entitlements = excluded.entitlements, digest = excluded.digest,
      next_change_at = excluded.next_change_at, base_line = excluded.base_line`;

const deliveryRecord =
  'message_id text, endpoint_id text, user_id text, type text, version bigint, form text, delay integer, supersedes boolean';

/**
 * Of one user, or of the project: what waits of it at an endpoint that wants the latest only, row by row by the index of that,
 * whose order it is in: other indexes look as good as long as little waits.
 */
const olderWhere = (isSame: string): string => `
      SELECT old.id FROM new_deliveries n CROSS JOIN LATERAL (
        SELECT d.id FROM public.webhook_deliveries d
        WHERE d.endpoint_id = n.endpoint_id AND ${isSame} AND d.status = 'pending' AND d.type = n.type AND d.resend = 0
        ORDER BY d.id) old
      WHERE n.supersedes`;

const writeStatement = sqlTemplate(`
  WITH bumped AS (
    UPDATE public.users SET version = version + 1
    WHERE id = ANY(ARRAY(SELECT x.ref::bigint FROM json_array_elements_text($bumps::json) AS x(ref)))
    RETURNING project_id, user_id, version),
  pending AS (
    INSERT INTO public.cache_invalidations (project_id, user_id, version) SELECT project_id, user_id, version FROM bumped
    RETURNING id, project_id, user_id, version),
  done AS (
    DELETE FROM public.webhook_marks
    WHERE id = ANY(ARRAY(SELECT x.mark::bigint FROM json_array_elements_text($marks::json) AS x(mark)))),
  states AS (
    INSERT INTO public.webhook_states AS s (${stateColumns})
    SELECT ${stateValues} FROM json_to_recordset($states::json) AS n (${stateRecord})
    ON CONFLICT (project_id, user_id) DO UPDATE SET ${stateUpdates}),
  messages AS (
    INSERT INTO public.webhook_messages (id, project_id, user_id, type, version, "full", thin)
    SELECT n.id, $project_id::text, n.user_id, n.type, n.version, n."full", n.thin
    FROM json_to_recordset($messages::json) AS n (id text, user_id text, type text, version bigint, "full" text, thin text)),
  new_deliveries AS MATERIALIZED (
    SELECT * FROM json_to_recordset($deliveries::json) AS n (${deliveryRecord})),
  superseded AS (
    UPDATE public.webhook_deliveries d SET status = 'superseded', next_try_at = NULL
    WHERE d.id = ANY(ARRAY(${olderWhere('d.user_id = n.user_id')} UNION ALL
      ${olderWhere('n.user_id IS NULL AND d.user_id IS NULL')})) AND ${stillPending('d')}),
  deliveries AS (
    INSERT INTO public.webhook_deliveries (message_id, endpoint_id, project_id, user_id, type, version, form, next_try_at)
    SELECT n.message_id, n.endpoint_id, $project_id::text, n.user_id, n.type, n.version, n.form,
      clock_timestamp() + make_interval(secs => n.delay)
    FROM new_deliveries n)
  SELECT json_build_object('pending', (SELECT coalesce(json_agg(json_build_object('id', id, 'projectId', project_id,
    'userId', user_id, 'version', version)), '[]') FROM pending))`);

/** How long a message waits for its invalidation, should nobody say that it was published. */
const publishedAfterSeconds = 1;

function deliveriesOf({ endpoints }: MessageWrite, { id, message }: { id: string; message: NewMessage }) {
  const { body, userId, version, only, except, isLate = false } = message;
  // Facts are each for itself; of a state only the latest matters.
  const isState = body.type === 'entitlements.changed' || body.type === 'catalog.changed';
  const isFor = ({ id: endpointId, eventTypes }: WantingEndpoint): boolean =>
    only === undefined ? wantsType(eventTypes, body.type) && endpointId !== except : endpointId === only;
  return endpoints.filter(isFor).map((endpoint) => ({
    message_id: id,
    endpoint_id: endpoint.id,
    user_id: userId,
    type: body.type,
    version,
    form: body.thin === null ? 'full' : endpoint.payload,
    delay: isLate ? publishedAfterSeconds : 0,
    supersedes: isState && endpoint.delivery === 'latest',
  }));
}

/**
 * Writes what is told, for the endpoints that are to hear it, and that it was; a message that nobody is to hear is not
 * written. Older states that wait at endpoints which want the latest only are superseded, those under way too.
 */
export async function writeMessages(query: QueryJson, write: MessageWrite): Promise<WrittenMessages> {
  const made = write.messages
    .map((message) => ({ id: `msg_${randomUUID().replaceAll('-', '')}`, message }))
    .map((one) => ({ ...one, deliveries: deliveriesOf(write, one) }))
    .filter(({ deliveries }) => deliveries.length > 0);
  const { pending } = await query<{ pending: (Omit<PendingInvalidation, 'id' | 'version'> & Numbers)[] }>(
    writeStatement({
      project_id: write.projectId,
      base_line: write.baseLine,
      bumps: JSON.stringify(write.bumps ?? []),
      marks: JSON.stringify(write.marks ?? []),
      states: JSON.stringify((write.states ?? []).map(toStateRow)),
      messages: JSON.stringify(
        made.map(({ id, message: { userId, version, body } }) => ({ id, user_id: userId, version, ...body })),
      ),
      deliveries: JSON.stringify(made.flatMap(({ deliveries }) => deliveries)),
    }),
  );
  return {
    pending: pending.map((one) => ({ ...one, id: BigInt(one.id), version: BigInt(one.version) })),
    types: made.map(({ message }) => message.body.type),
    late: made.filter(({ message }) => message.isLate === true).map(({ id }) => id),
  };
}

type Numbers = { id: number; version: number };
