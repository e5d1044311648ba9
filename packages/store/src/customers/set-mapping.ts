import type { Instant } from '@billing/domain';
import type { UserKey } from '../change-user.ts';
import type { Queries } from '../create-database.ts';

export type Mapping = UserKey & {
  stripeCustomerId: string;
  source: 'admin' | 'import' | 'confirm';
  /** When the customer was created; absent: now. The newest of a user's customers is the one to bill. */
  since?: Instant;
};

/** Of the mapping that is there now. `before`: the user who had the customer in that project; null: nobody. */
export type SetMapping = { createdAt: Date; before: { ref: bigint; userId: string } | null };

type Row = { createdAt: Date };

/** The user's row, created if need be. */
async function userRefOf(tx: Queries, { projectId, userId }: UserKey): Promise<bigint> {
  await tx.$executeRaw`
    INSERT INTO public.users (project_id, user_id) VALUES (${projectId}, ${userId})
    ON CONFLICT (project_id, user_id) DO NOTHING`;
  const user = await tx.user.findUniqueOrThrow({ where: { projectId_userId: { projectId, userId } } });
  return user.id;
}

/**
 * Maps a Stripe customer to a user of a project: in `customers` where it has no user in any project yet, else in
 * `customer_users`. A customer has one user in a project: one that is mapped there is moved. The customer's row is locked
 * first, so that two mappings of one customer take turns.
 */
export async function setMapping(tx: Queries, mapping: Mapping): Promise<SetMapping> {
  const { projectId, stripeCustomerId, source, since } = mapping;
  const userRef = await userRefOf(tx, mapping);
  const [first] = await tx.$queryRaw<Row[]>`
    INSERT INTO public.customers (stripe_customer_id, user_ref, source, created_at)
    VALUES (${stripeCustomerId}, ${userRef}, ${source}, coalesce(to_timestamp(${since ?? null}::float8 / 1000), now()))
    ON CONFLICT (stripe_customer_id) DO UPDATE SET user_ref = EXCLUDED.user_ref, source = EXCLUDED.source
    WHERE customers.user_ref IS NULL
    RETURNING created_at AS "createdAt"`;
  if (first !== undefined) return { createdAt: first.createdAt, before: null };
  const [there] = await tx.$queryRaw<{ ref: bigint; userId: string; projectId: string }[]>`
    SELECT u.id AS ref, u.user_id AS "userId", u.project_id AS "projectId"
    FROM public.customers c JOIN public.users u ON u.id = c.user_ref
    WHERE c.stripe_customer_id = ${stripeCustomerId} FOR UPDATE OF c`;
  if (there?.projectId === projectId) {
    const [moved] = await tx.$queryRaw<Row[]>`
      UPDATE public.customers SET user_ref = ${userRef}, source = ${source}
      WHERE stripe_customer_id = ${stripeCustomerId} RETURNING created_at AS "createdAt"`;
    return { createdAt: moved?.createdAt ?? new Date(), before: { ref: there.ref, userId: there.userId } };
  }
  return setFurtherMapping(tx, { ...mapping, userRef });
}

async function setFurtherMapping(
  tx: Queries,
  { projectId, stripeCustomerId, source, since, userRef }: Mapping & { userRef: bigint },
): Promise<SetMapping> {
  const [before] = await tx.$queryRaw<{ ref: bigint; userId: string }[]>`
    SELECT u.id AS ref, u.user_id AS "userId" FROM public.customer_users c JOIN public.users u ON u.id = c.user_ref
    WHERE c.stripe_customer_id = ${stripeCustomerId} AND c.project_id = ${projectId}`;
  const [row] = await tx.$queryRaw<Row[]>`
    INSERT INTO public.customer_users (stripe_customer_id, project_id, user_ref, source, created_at)
    VALUES (${stripeCustomerId}, ${projectId}, ${userRef}, ${source}, coalesce(to_timestamp(${since ?? null}::float8 / 1000), now()))
    ON CONFLICT (stripe_customer_id, project_id) DO UPDATE SET user_ref = EXCLUDED.user_ref, source = EXCLUDED.source
    RETURNING created_at AS "createdAt"`;
  return { createdAt: row?.createdAt ?? new Date(), before: before ?? null };
}
