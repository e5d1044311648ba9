import { Prisma } from '../generated/client.ts';

/**
 * Where the owner of a row of `subscriptions` or `purchases` comes from, as `OwnerSource`: in a statement that has the row
 * under this alias, and its owner as `users`. A claim that older versions stored without its source counts as a hint.
 */
export const ownerSourceSql = (alias: 's' | 'p'): Prisma.Sql => {
  const object = Prisma.raw(alias);
  return Prisma.sql`CASE
    WHEN EXISTS (SELECT FROM public.object_owners o
      WHERE o.object_id = ${object}.id AND o.user_ref = users.id AND o.source = 'assignment') THEN 'assignment'
    WHEN EXISTS (SELECT FROM public.customers c
      WHERE c.stripe_customer_id = ${object}.stripe_customer_id AND c.user_ref = users.id) THEN 'mapping'
    WHEN EXISTS (SELECT FROM public.customer_users c
      WHERE c.stripe_customer_id = ${object}.stripe_customer_id AND c.user_ref = users.id) THEN 'mapping'
    WHEN ${object}.claimed_user_id = users.user_id THEN coalesce(${object}.claimed_user_source, 'buyer_hint')
    ELSE 'buyer_hint' END`;
};

/** Whether the policy of the row of `projects` under this alias accepts no buyer's hint. */
export const quarantinesHints = (alias: 'projects' | 'j' | 'users'): Prisma.Sql =>
  Prisma.sql`${Prisma.raw(alias)}.policy ->> 'accept_buyer_hints' = 'quarantine'`;

/** Ids of what `users` owns beside the rows that lead to them: by assignment, or in a further project. */
export const otherObjects = Prisma.sql`ARRAY(SELECT o.object_id FROM public.object_owners o WHERE o.user_ref = users.id)`;
