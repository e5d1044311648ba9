import type { OwnerSource, PurchaseStatus } from '@billing/domain';
import { soldAs } from '../catalog/sold-as.ts';
import type { Queries } from '../create-database.ts';
import { ownerSourceSql } from '../customers/owner-source.ts';
import { Prisma } from '../generated/client.ts';
import { toPage } from '../page.ts';
import type { Page } from '../page.ts';
import { isOwnItem, ownedPage, positionOf, soldItemFields } from './owned-page.ts';
import type { OwnedRow, SoldFilter, SoldItem } from './owned-page.ts';

export type SoldPurchase = OwnedRow & {
  ownerSource: OwnerSource | null;
  status: PurchaseStatus;
  amount: bigint | null;
  amountRefunded: bigint;
  currency: string | null;
  paidAt: Date | null;
  disputeStatus: string | null;
  sessionId: string | null;
  chargeId: string | null;
  receiptId: string | null;
  confirmed: boolean;
  items: SoldItem[];
};

const tables = {
  alias: 'p',
  objects: Prisma.sql`public.purchases`,
  items: Prisma.sql`public.purchase_items`,
  itemOf: Prisma.sql`i.purchase_id`,
  // Neither the payment of an invoice, nor an invoice that only records another purchase.
  isSold: Prisma.sql`p.invoice_id IS NULL AND (p.session_id IS NOT NULL OR p.status <> 'pending')
    AND NOT EXISTS (SELECT FROM public.purchases x WHERE x.receipt_invoice_id = p.id OFFSET 0)`,
} as const;

/** One-time purchases of all projects or of one, newest first, once for each project that they are in. */
export async function listSoldPurchases(
  database: Pick<Queries, '$queryRaw'>,
  filter: SoldFilter,
): Promise<Page<SoldPurchase>> {
  const rows = await database.$queryRaw<SoldPurchase[]>`
    SELECT p.id, p.created_at AS "createdAt", page.ref, users.project_id AS "projectId", users.user_id AS "userId",
      CASE WHEN users.id IS NOT NULL THEN ${ownerSourceSql('p')} END AS "ownerSource",
      p.stripe_customer_id AS "stripeCustomerId", p.status, p.amount, p.amount_refunded AS "amountRefunded",
      p.currency, p.paid_at AS "paidAt", p.dispute_status AS "disputeStatus", p.session_id AS "sessionId",
      p.charge_id AS "chargeId", p.receipt_invoice_id AS "receiptId", p.confirmed,
      coalesce((
        SELECT jsonb_agg(jsonb_build_object(${soldItemFields}) ORDER BY i.stripe_price_id)
        FROM public.purchase_items i ${soldAs} WHERE i.purchase_id = p.id AND ${isOwnItem}), '[]') AS items
    FROM (${ownedPage(tables, filter)}) page
      JOIN public.purchases p ON p.id = page.id LEFT JOIN public.users ON users.id = page.ref
    ORDER BY page.created_at DESC, page.id DESC, coalesce(page.ref, 0) DESC`;
  return toPage(rows, filter.limit, positionOf);
}
