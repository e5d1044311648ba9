import type { Instant, PendingPayment, SubscriptionStatus } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor, AuditDetails } from '../audit.ts';
import type { UserKey } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import { decodeCursor, timeAndIdKey, toPage } from '../page.ts';
import type { Page, PageRequest } from '../page.ts';
import { readAgainIfConnectionLost } from '../read-again.ts';
import { subscriptionsStatement } from './subscriptions-sql.ts';

/** A price in a subscription, as the project that asks knows it. */
export type PricedItem = {
  stripePriceId: string;
  /** Null: not in the catalog. */
  priceId: string | null;
  productId: string | null;
  /** Null: metered. */
  quantity: number | null;
};

export type ProjectItem = PricedItem & {
  itemId: string;
  /** Of the product. */
  group: string | null;
  currentPeriodStart: Instant | null;
  currentPeriodEnd: Instant | null;
};

/** A subscription as one project sees it. */
export type ProjectSubscription = {
  subscriptionId: string;
  userId: string;
  stripeCustomerId: string | null;
  status: SubscriptionStatus;
  /** The project's own, and those that nobody sells. */
  items: ProjectItem[];
  /** It also has items of another project. */
  isShared: boolean;
  cancelAt: Instant | null;
  cancelAtPeriodEnd: boolean;
  endedAt: Instant | null;
  trialEnd: Instant | null;
  collectionPaused: boolean;
  pauseBehavior: string | null;
  pauseResumesAt: Instant | null;
  scheduleId: string | null;
  pendingChange: { effectiveAt: Instant; items: PricedItem[] } | null;
  pendingPayment: PendingPayment | null;
  isDuplicate: boolean;
  confirmed: boolean;
  created: Instant;
};

const read = (
  database: Pick<Database, '$queryJson'>,
  asked: Parameters<typeof subscriptionsStatement>[0],
): Promise<ProjectSubscription[]> =>
  readAgainIfConnectionLost(() => database.$queryJson<ProjectSubscription[]>(subscriptionsStatement(asked)));

/**
 * A subscription of a user of the project, by its id. Null: there is none, or it is another project's, or only a buyer's hint
 * gives it to the user.
 */
export async function readSubscription(
  database: Pick<Database, '$queryJson'>,
  { projectId, subscriptionId }: { projectId: string; subscriptionId: string },
): Promise<ProjectSubscription | null> {
  const ofUsers = Prisma.sql`u.id IN (
    SELECT user_ref FROM public.subscriptions WHERE id = ${subscriptionId}
    UNION ALL SELECT user_ref FROM public.object_owners WHERE object_id = ${subscriptionId})`;
  const where = Prisma.sql`h.id = ${subscriptionId}`;
  const [found] = await read(database, { projectId, ofUsers, where, limit: 1 });
  return found ?? null;
}

/** The subscriptions of a user, newest first. */
export async function listSubscriptions(
  database: Pick<Database, '$queryJson'>,
  { projectId, userId, status, limit, cursor }: UserKey & PageRequest & { status?: string | undefined },
): Promise<Page<ProjectSubscription>> {
  const after = cursor === undefined ? null : decodeCursor(timeAndIdKey, cursor);
  const ofStatus = status === undefined ? Prisma.sql`true` : Prisma.sql`h.status = ${status}`;
  const isAfter =
    after === null ? Prisma.sql`true` : Prisma.sql`(h.created_ms, h.id) < (${after[0]}::bigint, ${after[1]})`;
  const rows = await read(database, {
    projectId,
    ofUsers: Prisma.sql`u.user_id = ${userId}`,
    where: Prisma.sql`${ofStatus} AND ${isAfter}`,
    limit: limit + 1,
  });
  return toPage(rows, limit, (row) => [row.created, row.subscriptionId]);
}

/** Records a change of a subscription that Stripe has made for a project. */
export const auditSubscription = (
  database: Database,
  {
    subscription: { subscriptionId: id, userId },
    details,
    ...entry
  }: {
    actor: Actor;
    action: string;
    projectId: string;
    subscription: Pick<ProjectSubscription, 'subscriptionId' | 'userId'>;
    reason?: string;
    details: AuditDetails;
  },
): Promise<void> =>
  database.$transaction((tx) =>
    writeAudit(tx, {
      ...entry,
      target: { type: 'subscription', id },
      details: { user_id: userId, ...details },
    }),
  );
