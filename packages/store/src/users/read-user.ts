import { ServiceError } from '@billing/domain';
import { findAudit, writeAudit } from '../audit.ts';
import type { Actor, AuditRow } from '../audit.ts';
import type { UserKey } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import { otherObjects, ownerSourceSql } from '../customers/owner-source.ts';
import type { LedgerRow } from '../ledger.ts';

export type MappedCustomer = {
  stripeCustomerId: string;
  source: string;
  createdAt: Date;
  deletedAt: Date | null;
};

/** A source whose owner a buyer typed, with the customer who bought it: whose that is, nobody has said. */
export type HintedSource = {
  source: 'subscription' | 'purchase';
  sourceId: string;
  stripeCustomerId: string | null;
  status: string;
  createdAt: Date;
};

/** What is stored about a user, besides the sources. */
export type StoredUser = {
  createdAt: Date;
  customers: MappedCustomer[];
  hinted: HintedSource[];
  events: LedgerRow[];
  audit: AuditRow[];
};

const mostEvents = 100;
const mostAudit = 100;
const mostHinted = 100;

export const customersOf = (tx: Queries, userRef: bigint): Promise<MappedCustomer[]> =>
  tx.$queryRaw<MappedCustomer[]>`
    SELECT stripe_customer_id AS "stripeCustomerId", source, created_at AS "createdAt", deleted_at AS "deletedAt"
    FROM public.customers WHERE user_ref = ${userRef}
    UNION ALL
    SELECT f.stripe_customer_id, f.source, f.created_at, c.deleted_at
    FROM public.customer_users f JOIN public.customers c ON c.stripe_customer_id = f.stripe_customer_id WHERE f.user_ref = ${userRef}
    ORDER BY 3 DESC, 1`;

/** What only a buyer's hint gives to the user. */
const hintedOf = (tx: Queries, userRef: bigint): Promise<HintedSource[]> =>
  tx.$queryRaw<HintedSource[]>`
    SELECT 'subscription' AS source, s.id AS "sourceId", s.stripe_customer_id AS "stripeCustomerId",
      coalesce(s.status, 'unknown') AS status, s.created_at AS "createdAt"
    FROM public.users JOIN public.subscriptions s ON s.user_ref = users.id OR s.id = ANY(${otherObjects})
    WHERE users.id = ${userRef} AND ${ownerSourceSql('s')} = 'buyer_hint'
    UNION ALL
    SELECT 'purchase', p.id, p.stripe_customer_id, p.status, p.created_at
    FROM public.users JOIN public.purchases p ON p.user_ref = users.id OR p.id = ANY(${otherObjects})
    WHERE users.id = ${userRef} AND ${ownerSourceSql('p')} = 'buyer_hint' AND p.invoice_id IS NULL
      AND (p.session_id IS NOT NULL OR p.status <> 'pending')
    ORDER BY 5 DESC, 2 LIMIT ${mostHinted}`;

/** Ids by which events and the audit log name what the user has. */
export async function namesOf(tx: Queries, userRef: bigint): Promise<string[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    WITH object AS (
      SELECT id, ARRAY[id, latest_invoice_id, period_invoice_id] AS ids FROM public.subscriptions
      WHERE user_ref = ${userRef} OR id = ANY(ARRAY(SELECT object_id FROM public.object_owners WHERE user_ref = ${userRef}))
      UNION ALL
      SELECT id, ARRAY[id, session_id, charge_id, invoice_id, receipt_invoice_id] FROM public.purchases
      WHERE user_ref = ${userRef} OR id = ANY(ARRAY(SELECT object_id FROM public.object_owners WHERE user_ref = ${userRef}))
      UNION ALL SELECT id, ARRAY[id] FROM public.grants WHERE user_ref = ${userRef})
    SELECT DISTINCT name AS id FROM object CROSS JOIN LATERAL unnest(ids) AS name WHERE name IS NOT NULL LIMIT 1000`;
  return rows.map(({ id }) => id);
}

/** Throws `user_not_found`. Audited: who looked. */
export async function readUser(database: Database, key: UserKey, actor: Actor): Promise<StoredUser> {
  const { projectId, userId } = key;
  return database.$transaction(async (tx) => {
    const user = await tx.user.findUnique({ where: { projectId_userId: { projectId, userId } } });
    if (user === null)
      throw new ServiceError(
        'user_not_found',
        'Find the user by another id: GET /api/v1/admin/users?query=…',
      );
    const customers = await customersOf(tx, user.id);
    const names = [...(await namesOf(tx, user.id)), ...customers.map((one) => one.stripeCustomerId)];
    const events = await tx.stripeEvent.findMany({
      where: { objectId: { in: names } },
      orderBy: [{ created: 'desc' }, { eventId: 'desc' }],
      take: mostEvents,
      omit: { payload: true },
    });
    const audit = await findAudit(tx, {
      where: {
        projectId,
        readable: {
          OR: [{ targetId: { in: [...names, userId] } }, { details: { path: ['user_id'], equals: userId } }],
        },
      },
      orderBy: { id: 'desc' },
      take: mostAudit,
    });
    await writeAudit(tx, { actor, action: 'user.read', projectId, target: { type: 'user', id: userId } });
    return { createdAt: user.createdAt, customers, hinted: await hintedOf(tx, user.id), events, audit };
  });
}
