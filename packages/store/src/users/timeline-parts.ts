import { hourMs } from '@billing/domain';
import type { Instant, TimelineKind } from '@billing/domain';
import { Prisma } from '../generated/client.ts';

/** Whose timeline: with ids by which events and audit rows name what the user has. `userRef` null: not stored. */
export type TimelineOwner = {
  projectId: string;
  userId: string;
  userRef: bigint | null;
  names: readonly string[];
};

/** Where the page before ended; entries are sorted by moment, kind and key. */
export type TimelinePosition = { at: Instant; kind: string; key: string };

export type PartOptions = { limit: number; position: TimelinePosition | null };

const lastMoment = new Date(Date.UTC(9999, 11, 31));

const upTo = (position: TimelinePosition | null): Date =>
  position === null ? lastMoment : new Date(position.at);

/** Entries of a kind behind the page before. The first condition is what an index can use. */
function isBehind(
  { kind, at, key }: { kind: TimelineKind; at: Prisma.Sql; key: Prisma.Sql },
  position: TimelinePosition | null,
): Prisma.Sql {
  if (position === null) return Prisma.sql`true`;
  const moment = new Date(position.at);
  if (kind < position.kind) return Prisma.sql`${at} <= ${moment}::timestamptz`;
  if (kind > position.kind) return Prisma.sql`${at} < ${moment}::timestamptz`;
  return Prisma.sql`${at} <= ${moment}::timestamptz
    AND (${at} < ${moment}::timestamptz OR ${key} COLLATE "C" < ${position.key})`;
}

const nobody = Prisma.sql`NULL::text AS actor`;
const uncounted = Prisma.sql`NULL::bigint AS quantity`;
const newest = (limit: number, part: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`SELECT * FROM (${part}) part ORDER BY at DESC, key COLLATE "C" DESC LIMIT ${limit}`;

/** Of each object by itself: the newest of all its events are never read together. */
const stripeEvents = ({ names }: TimelineOwner, { limit, position }: PartOptions): Prisma.Sql =>
  newest(
    limit,
    Prisma.sql`
  SELECT one.created AS at, 'stripe_event' AS kind, one.event_id AS key, one.event_id AS id, one.type AS action,
    one.object_id AS subject, one.status, one.reason, ${nobody}, ${uncounted}
  FROM unnest(${[...names]}::text[]) AS named (id) CROSS JOIN LATERAL (
    SELECT e.event_id, e.created, e.type, e.object_id, e.status, e.reason FROM public.stripe_events e
    WHERE e.object_id = named.id
      AND ${isBehind({ kind: 'stripe_event', at: Prisma.sql`e.created`, key: Prisma.sql`e.event_id` }, position)}
    ORDER BY e.created DESC, e.event_id DESC LIMIT ${limit}) one`,
  );

const grants = ({ userRef }: TimelineOwner, { limit, position }: PartOptions): Prisma.Sql =>
  newest(
    limit,
    Prisma.sql`
  SELECT at, 'grant' AS kind, key, id, action, feature_code AS subject, NULL::text AS status, reason, actor, amount AS quantity
  FROM (
    SELECT granted_at AS at, id || ' 1' AS key, id, 'granted' AS action, feature_code, reason, granted_by AS actor, amount
    FROM public.grants WHERE user_ref = ${userRef}::bigint
    UNION ALL
    SELECT revoked_at, id || ' 2', id, 'revoked', feature_code, revoke_reason, revoked_by, amount
    FROM public.grants WHERE user_ref = ${userRef}::bigint AND revoked_at IS NOT NULL) one
  WHERE ${isBehind({ kind: 'grant', at: Prisma.sql`at`, key: Prisma.sql`key` }, position)}`,
  );

const slotsOfHour = 4;

/** By hours: a busy user has thousands of events a day. One hour more than the limit, which the page before may have had. */
function usage({ projectId, userId }: TimelineOwner, { limit, position }: PartOptions): Prisma.Sql {
  const before = new Date(Math.floor(upTo(position).getTime() / hourMs) * hourMs + hourMs);
  return newest(
    limit,
    Prisma.sql`
  SELECT at, 'usage' AS kind, feature_code AS key, feature_code AS id, 'used' AS action, feature_code AS subject,
    NULL::text AS status, NULL::text AS reason, ${nobody}, quantity
  FROM (
    SELECT st.feature_code, hours.at, hours.quantity
    FROM public.usage_states st CROSS JOIN LATERAL (
      SELECT date_trunc('hour', slot.start, 'UTC') AS at, sum(slot.quantity)::bigint AS quantity
      FROM (
        SELECT start, quantity FROM public.usage_slots l
        WHERE l.project_id = st.project_id AND l.user_id = st.user_id AND l.feature_code = st.feature_code
          AND l.start < ${before}::timestamptz
        ORDER BY l.start DESC LIMIT ${slotsOfHour * (limit + 1)}) slot
      GROUP BY 1 ORDER BY 1 DESC LIMIT ${limit + 1}) hours
    WHERE st.project_id = ${projectId} AND st.user_id = ${userId}) one
  WHERE ${isBehind({ kind: 'usage', at: Prisma.sql`at`, key: Prisma.sql`feature_code` }, position)}`,
  );
}

/** The gravest state of a message's deliveries first. */
const deliveryStates = ['failed', 'pending', 'discarded', 'superseded', 'succeeded'];

const webhooks = (
  { projectId, userId }: TimelineOwner,
  { limit, position }: PartOptions,
): Prisma.Sql => Prisma.sql`
  SELECT one.created_at AS at, 'webhook' AS kind, one.id AS key, one.id, one.type AS action, NULL::text AS subject,
    (SELECT d.status FROM public.webhook_deliveries d WHERE d.message_id = one.id AND d.resend = 0
      ORDER BY array_position(${deliveryStates}::text[], d.status) LIMIT 1) AS status,
    NULL::text AS reason, ${nobody}, ${uncounted}
  FROM (
    SELECT m.id, m.created_at, m.type FROM public.webhook_messages m
    WHERE m.project_id = ${projectId} AND m.user_id = ${userId}
      AND ${isBehind({ kind: 'webhook', at: Prisma.sql`m.created_at`, key: Prisma.sql`m.id` }, position)}
    ORDER BY m.created_at DESC, m.id COLLATE "C" DESC LIMIT ${limit}) one`;

/** What changed something. Grants are entries of their own. */
const audit = ({ projectId, userId, names }: TimelineOwner, { limit, position }: PartOptions): Prisma.Sql =>
  newest(
    limit,
    Prisma.sql`
  SELECT * FROM (
    SELECT a.at, 'audit' AS kind, lpad(a.id::text, 20, '0') AS key, a.id::text AS id, a.action, r.target_id AS subject,
      NULL::text AS status, r.reason, a.actor, ${uncounted}
    FROM public.audit_log a JOIN public.audit_subjects r ON r.subject = a.subject
    WHERE a.project_id = ${projectId} AND a.target_type <> 'grant' AND a.action NOT IN ('user.read', 'user.find')
      AND (r.target_id = ANY(${[...names, userId]}::text[]) OR r.details ->> 'user_id' = ${userId}
        OR r.details ->> 'previous_user_id' = ${userId})) one
  WHERE ${isBehind({ kind: 'audit', at: Prisma.sql`at`, key: Prisma.sql`key` }, position)}`,
  );

/** The newest entries of each kind, as one list of rows. */
export const timelineParts: Readonly<
  Record<TimelineKind, (owner: TimelineOwner, options: PartOptions) => Prisma.Sql>
> = { stripe_event: stripeEvents, grant: grants, usage, webhook: webhooks, audit };
