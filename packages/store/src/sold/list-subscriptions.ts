import type { Instant, OwnerSource, SubscriptionStatus } from '@billing/domain';
import { soldAs } from '../catalog/sold-as.ts';
import type { Queries } from '../create-database.ts';
import { ownerSourceSql } from '../customers/owner-source.ts';
import { Prisma } from '../generated/client.ts';
import { toPage } from '../page.ts';
import type { Page } from '../page.ts';
import { isOwnItem, ownedPage, positionOf, soldItemFields } from './owned-page.ts';
import type { OwnedRow, SoldFilter, SoldItem } from './owned-page.ts';

export type SoldSubscription = OwnedRow & {
  ownerSource: OwnerSource | null;
  status: SubscriptionStatus | null;
  cancelAt: Date | null;
  cancelAtPeriodEnd: boolean;
  endedAt: Date | null;
  trialEnd: Date | null;
  startDate: Date | null;
  collectionPaused: boolean;
  confirmed: boolean;
  items: (SoldItem & {
    itemId: string;
    currentPeriodStart: Instant | null;
    currentPeriodEnd: Instant | null;
  })[];
};

const tables = {
  alias: 's',
  objects: Prisma.sql`public.subscriptions`,
  items: Prisma.sql`public.subscription_items`,
  itemOf: Prisma.sql`i.subscription_id`,
  isSold: Prisma.sql`true`,
} as const;

/** Subscriptions of all projects or of one, newest first, once for each project that they are in. */
export async function listSoldSubscriptions(
  database: Pick<Queries, '$queryRaw'>,
  filter: SoldFilter,
): Promise<Page<SoldSubscription>> {
  const rows = await database.$queryRaw<SoldSubscription[]>`
    SELECT s.id, s.created_at AS "createdAt", page.ref, users.project_id AS "projectId", users.user_id AS "userId",
      CASE WHEN users.id IS NOT NULL THEN ${ownerSourceSql('s')} END AS "ownerSource",
      s.stripe_customer_id AS "stripeCustomerId", s.status, s.cancel_at AS "cancelAt",
      s.cancel_at_period_end AS "cancelAtPeriodEnd", s.ended_at AS "endedAt", s.trial_end AS "trialEnd",
      s.start_date AS "startDate", s.collection_paused AS "collectionPaused", s.confirmed,
      coalesce((
        SELECT jsonb_agg(jsonb_build_object('itemId', i.item_id, ${soldItemFields},
          'currentPeriodStart', (extract(epoch FROM i.current_period_start) * 1000)::bigint,
          'currentPeriodEnd', (extract(epoch FROM i.current_period_end) * 1000)::bigint) ORDER BY i.item_id)
        FROM public.subscription_items i ${soldAs} WHERE i.subscription_id = s.id AND ${isOwnItem}), '[]') AS items
    FROM (${ownedPage(tables, filter)}) page
      JOIN public.subscriptions s ON s.id = page.id LEFT JOIN public.users ON users.id = page.ref
    ORDER BY page.created_at DESC, page.id DESC, coalesce(page.ref, 0) DESC`;
  return toPage(rows, filter.limit, positionOf);
}
