import { findAudit, writeAudit } from '../audit.ts';
import type { Actor, AuditRow } from '../audit.ts';
import type { UserKey } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import type { StoredEvent } from '../ledger.ts';
import { exportUsage } from '../usage/erase-usage.ts';
import type { ExportedUsage } from '../usage/erase-usage.ts';
import { exportWebhooks } from '../webhooks/export-webhooks.ts';
import type { ExportedWebhooks } from '../webhooks/export-webhooks.ts';
import { customersOf, namesOf } from './read-user.ts';
import type { MappedCustomer } from './read-user.ts';

/** A row with the columns' names, and its items. */
export type ExportedRow = Record<string, unknown>;

/** All that is stored about a user. */
export type UserExport = {
  createdAt: Date;
  customers: MappedCustomer[];
  subscriptions: ExportedRow[];
  purchases: ExportedRow[];
  grants: ExportedRow[];
  events: StoredEvent[];
  audit: AuditRow[];
  idempotencyKeys: ExportedRow[];
  openCheckouts: ExportedRow[];
  /** Rows of usage, by table. */
  usage: ExportedUsage;
  /** Rows of what products were told, by table. */
  webhooks: ExportedWebhooks;
};

type Owned = 'subscriptions' | 'purchases';

const itemsOf = {
  subscriptions: Prisma.sql`(SELECT jsonb_agg(to_jsonb(i) ORDER BY i.item_id) FROM public.subscription_items i WHERE i.subscription_id = o.id)`,
  purchases: Prisma.sql`(SELECT jsonb_agg(to_jsonb(i) ORDER BY i.stripe_price_id) FROM public.purchase_items i WHERE i.purchase_id = o.id)`,
} as const;

type UserRow = UserKey & { ref: bigint };

/** What the user has, and what nobody has yet and names the user in the project. Each by its index: with a join all are read. */
async function ownedRows(
  tx: Queries,
  table: Owned,
  { ref, projectId, userId }: UserRow,
): Promise<ExportedRow[]> {
  const objects = Prisma.raw(`public.${table}`);
  const rows = await tx.$queryRaw<{ row: ExportedRow }[]>`
    SELECT to_jsonb(o) || jsonb_build_object('items', coalesce(${itemsOf[table]}, '[]')) AS row
    FROM ${objects} o
    WHERE o.user_ref = ${ref} OR o.id = ANY(ARRAY(
      SELECT object_id FROM public.object_owners WHERE user_ref = ${ref}
      UNION
      SELECT w.id FROM ${objects} w
      WHERE w.user_ref IS NULL AND w.claimed_user_id = ${userId} AND w.claimed_project_id = ${projectId}))
    ORDER BY o.created_at, o.id`;
  return rows.map(({ row }) => row);
}

const nameColumns = ['id', 'latest_invoice_id', 'period_invoice_id', 'session_id', 'charge_id', 'invoice_id'];

/** Ids by which events name these rows. */
const namesIn = (rows: readonly ExportedRow[]): string[] =>
  rows.flatMap((row) =>
    nameColumns.flatMap((column) => (typeof row[column] === 'string' ? row[column] : [])),
  );

async function grantRows(tx: Queries, userRef: bigint): Promise<ExportedRow[]> {
  const rows = await tx.$queryRaw<{ row: ExportedRow }[]>`
    SELECT to_jsonb(g) AS row FROM public.grants g WHERE user_ref = ${userRef} ORDER BY granted_at, id`;
  return rows.map(({ row }) => row);
}

/** The user's own: what was asked of Stripe names the user, what was answered may not. */
async function answerRows(tx: Queries, { projectId, userId }: UserKey): Promise<ExportedRow[]> {
  const rows = await tx.$queryRaw<{ row: ExportedRow }[]>`
    SELECT to_jsonb(k) - 'request_hash' AS row FROM public.idempotency_keys k
    WHERE project_id = ${projectId} AND stripe_request #>> '{params,metadata,user_id}' = ${userId}
    ORDER BY created_at, key`;
  return rows.map(({ row }) => row);
}

async function openCheckoutRows(tx: Queries, userRef: bigint): Promise<ExportedRow[]> {
  const rows = await tx.$queryRaw<{ row: ExportedRow }[]>`
    SELECT to_jsonb(o) - 'request_hash' AS row FROM public.open_checkouts o WHERE user_ref = ${userRef} ORDER BY slot`;
  return rows.map(({ row }) => row);
}

const auditOf = (
  tx: Queries,
  { projectId, userId }: UserKey,
  names: readonly string[],
): Promise<AuditRow[]> =>
  findAudit(tx, {
    where: {
      projectId,
      readable: {
        OR: [
          { targetId: { in: [...names, userId] } },
          { details: { path: ['user_id'], equals: userId } },
          { details: { path: ['previous_user_id'], equals: userId } },
        ],
      },
    },
    orderBy: { id: 'asc' },
  });

/** What Stripe told about objects, each event with the payload that is kept of it. */
async function eventsOf(tx: Queries, names: readonly string[]): Promise<StoredEvent[]> {
  const events = await tx.stripeEvent.findMany({
    where: { objectId: { in: [...names] } },
    orderBy: [{ created: 'asc' }, { eventId: 'asc' }],
  });
  const kept = await tx.stripeEventPayload.findMany({
    where: { eventId: { in: events.map(({ eventId }) => eventId) } },
  });
  const payloads = new Map(kept.map(({ eventId, payload }) => [eventId, payload]));
  return events.map((event) => ({ ...event, payload: event.payload ?? payloads.get(event.eventId) ?? null }));
}

/** All that is stored about a user; null: nobody has heard of the user. Audited: who asked for it. */
export async function exportUser(
  database: Database,
  key: UserKey,
  { actor, reader = database }: { actor: Actor; reader?: Database },
): Promise<UserExport | null> {
  const exported = await readAll(reader, key);
  await database.$transaction((tx) =>
    writeAudit(tx, {
      actor,
      action: 'user.export',
      projectId: key.projectId,
      // The id of somebody who was erased is not written down again.
      target: { type: 'user', id: exported === null ? 'unknown' : key.userId },
    }),
  );
  return exported;
}

function readAll(reader: Database, key: UserKey): Promise<UserExport | null> {
  const { projectId, userId } = key;
  return reader.$transaction(async (tx) => {
    const user = await tx.user.findUnique({ where: { projectId_userId: { projectId, userId } } });
    if (user === null) return null;
    const customers = await customersOf(tx, user.id);
    const row = { projectId, userId, ref: user.id };
    const subscriptions = await ownedRows(tx, 'subscriptions', row);
    const purchases = await ownedRows(tx, 'purchases', row);
    const names = [
      ...(await namesOf(tx, user.id)),
      ...customers.map((one) => one.stripeCustomerId),
      ...namesIn([...subscriptions, ...purchases]),
    ];
    return {
      createdAt: user.createdAt,
      customers,
      subscriptions,
      purchases,
      grants: await grantRows(tx, user.id),
      events: await eventsOf(tx, names),
      audit: await auditOf(tx, key, names),
      idempotencyKeys: await answerRows(tx, key),
      openCheckouts: await openCheckoutRows(tx, user.id),
      usage: await exportUsage(tx, key),
      webhooks: await exportWebhooks(tx, key),
    };
  });
}
