import { checkoutDefaults } from '@billing/domain';
import type { CheckoutDefaults, HeldSubscription, SellablePrice } from '@billing/domain';
import { soldAs } from '../catalog/sold-as.ts';
import type { UserKey } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { billedCustomer, customerGeneration } from '../customers/user-customer.ts';
import type { UserCustomer } from '../customers/user-customer.ts';
import { ownerSourceSql } from '../customers/owner-source.ts';
import { Prisma } from '../generated/client.ts';
import { readAgainIfConnectionLost } from '../read-again.ts';

/** All that is to be known before a sale. */
export type Sale = {
  /** Where the project's checkouts may lead back to. */
  redirectOrigins: string[];
  defaults: CheckoutDefaults;
  /** In the order asked for, by our id or Stripe's; null: the project has no such price. */
  prices: (SellablePrice | null)[];
  /** Null: the user has no row yet. */
  user: UserCustomer | null;
  /**
   * The user's subscriptions that may still be charged or had a trial, those too that a customer of the user pays and that
   * have no owner yet.
   */
  held: HeldSubscription[];
};

type SaleRow = Pick<Sale, 'redirectOrigins' | 'prices' | 'held'> & {
  checkoutDefaults: unknown;
  userRef: string | null;
  stripeCustomerId: string | null;
  generation: string | null;
};

/** The row `u` of `users`, by the name that `ownerSourceSql` expects. */
const buyer = Prisma.sql`(SELECT u.id, u.user_id) users`;
const isHinted = Prisma.sql`${ownerSourceSql('s')} = 'buyer_hint' AS is_hinted`;
const held = Prisma.sql`
  SELECT s.id, s.status, s.trial_end, ${isHinted}
  FROM ${buyer} JOIN public.subscriptions s ON s.user_ref = users.id
  UNION ALL
  SELECT s.id, s.status, s.trial_end, ${isHinted}
  FROM ${buyer} JOIN public.object_owners o ON o.user_ref = users.id JOIN public.subscriptions s ON s.id = o.object_id
  UNION ALL
  SELECT s.id, s.status, s.trial_end, false
  FROM public.customers c
  JOIN public.subscriptions s ON s.stripe_customer_id = c.stripe_customer_id AND s.user_ref IS NULL
  WHERE c.user_ref = u.id`;

/** Reads it in one statement. Null: there is no such project. */
export async function readSale(
  database: Pick<Database, '$queryJson'>,
  { projectId, userId, prices }: UserKey & { prices: readonly string[] },
): Promise<Sale | null> {
  const statement = Prisma.sql`SELECT coalesce(json_agg(sale), '[]') FROM (
    SELECT j.redirect_origins AS "redirectOrigins", j.checkout_defaults AS "checkoutDefaults",
      u.id::text AS "userRef", ${billedCustomer} AS "stripeCustomerId", ${customerGeneration} AS generation,
      (SELECT json_agg(found.price ORDER BY asked.place)
        FROM unnest(${[...prices]}::text[]) WITH ORDINALITY asked (price, place)
        LEFT JOIN LATERAL (
          SELECT json_build_object('priceId', p.price_id, 'stripePriceId', p.stripe_price_id,
            'productId', d.product_id, 'interval', p.interval,
            'isMetered', coalesce(p.usage_type = 'metered', false),
            'isArchived', p.is_archived OR d.is_archived,
            'group', d.plan_group, 'maxTrials', d.max_trials_per_user) AS price
          FROM public.prices p
          JOIN public.products d ON d.project_id = p.project_id AND d.product_id = p.product_id
          WHERE p.project_id = j.id AND (p.price_id = asked.price OR p.stripe_price_id = asked.price)
          ORDER BY (p.price_id = asked.price) DESC LIMIT 1) found ON true) AS prices,
      (SELECT coalesce(json_agg(json_build_object('id', k.id, 'isLive', k.status <> 'canceled',
          'isHinted', k.is_hinted, 'hasTrial', k.trial_end IS NOT NULL,
          'items', (SELECT coalesce(json_agg(json_build_object('stripePriceId', i.stripe_price_id,
              'productId', products.product_id, 'group', products.plan_group)), '[]')
            FROM public.subscription_items i ${soldAs}
            WHERE i.subscription_id = k.id AND products.project_id = j.id)) ORDER BY k.id), '[]')
        FROM (${held}) k
        WHERE k.status NOT IN ('incomplete', 'incomplete_expired')
          AND (k.status <> 'canceled' OR k.trial_end IS NOT NULL)) AS held
    FROM public.projects j
    LEFT JOIN public.users u ON u.project_id = j.id AND u.user_id = ${userId}
    WHERE j.id = ${projectId}) sale`;
  const [row] = await readAgainIfConnectionLost(() => database.$queryJson<SaleRow[]>(statement));
  if (row === undefined) return null;
  const { userRef, stripeCustomerId, generation, checkoutDefaults: stored, ...sale } = row;
  const user =
    userRef === null || generation === null
      ? null
      : { userRef: BigInt(userRef), stripeCustomerId, generation };
  return { ...sale, defaults: checkoutDefaults.parse(stored), user };
}
