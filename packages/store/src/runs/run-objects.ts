import { soldAs } from '../catalog/sold-as.ts';
import type { Database } from '../create-database.ts';

/** Records which objects a run met in Stripe's lists; returns how many it had not met before. */
export async function noteRunObjects(
  database: Database,
  runId: string,
  objectIds: readonly string[],
): Promise<number> {
  return database.$executeRaw`
    INSERT INTO public.run_objects (run_id, object_id)
    SELECT ${runId}, id FROM unnest(${[...new Set(objectIds)]}::text[]) AS id
    ON CONFLICT DO NOTHING`;
}

export type UnmetQuery = { runId: string; projectId: string | null; after: string; limit: number };

/** Our subscriptions that the run did not meet, in the order of their ids. */
export async function findUnmetSubscriptions(database: Database, query: UnmetQuery): Promise<string[]> {
  const { runId, projectId, after, limit } = query;
  const rows = await database.$queryRaw<{ id: string }[]>`
    SELECT s.id FROM public.subscriptions s LEFT JOIN public.users u ON u.id = s.user_ref
    WHERE s.id > ${after} AND (${projectId}::text IS NULL OR u.project_id = ${projectId}
        OR EXISTS (SELECT FROM public.object_owners o WHERE o.object_id = s.id AND o.project_id = ${projectId}))
      AND s.created_at < (SELECT created_at FROM public.runs WHERE id = ${runId})
      AND NOT EXISTS (SELECT FROM public.run_objects o WHERE o.run_id = ${runId} AND o.object_id = s.id)
    ORDER BY s.id LIMIT ${limit}`;
  return rows.map((row) => row.id);
}

/** Our purchases since a moment that the run did not meet, in the order of their ids. */
export async function findUnmetPurchases(
  database: Database,
  { since, ...query }: UnmetQuery & { since: Date },
): Promise<string[]> {
  const { runId, projectId, after, limit } = query;
  const rows = await database.$queryRaw<{ id: string }[]>`
    SELECT p.id FROM public.purchases p LEFT JOIN public.users u ON u.id = p.user_ref
    WHERE p.id > ${after} AND p.paid_at >= ${since} AND p.invoice_id IS NULL
      AND (${projectId}::text IS NULL OR u.project_id = ${projectId}
        OR EXISTS (SELECT FROM public.object_owners o WHERE o.object_id = p.id AND o.project_id = ${projectId}))
      AND p.created_at < (SELECT created_at FROM public.runs WHERE id = ${runId})
      AND NOT EXISTS (SELECT FROM public.run_objects o WHERE o.run_id = ${runId} AND o.object_id = p.id)
    ORDER BY p.id LIMIT ${limit}`;
  return rows.map((row) => row.id);
}

/**
 * Subscriptions without an owner that have not ended, and whose checkout session may name one; in the order of their ids.
 * `projectId`: only those that this project may have a price in.
 */
export async function findOwnerlessSubscriptions(
  database: Database,
  { projectId, after, limit }: Omit<UnmetQuery, 'runId'>,
): Promise<string[]> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    SELECT s.id FROM public.subscriptions s
    WHERE s.user_ref IS NULL AND s.id > ${after} AND s.missing_in_stripe_at IS NULL
      AND (s.status IS NULL OR s.status NOT IN ('canceled', 'incomplete_expired'))
      AND (s.claimed_user_id IS NULL OR s.claimed_project_id IS NULL)
      AND (${projectId}::text IS NULL OR EXISTS (
        SELECT FROM public.subscription_items i ${soldAs}
        WHERE i.subscription_id = s.id AND coalesce(products.project_id = ${projectId}, true)))
    ORDER BY s.id LIMIT ${limit}`;
  return rows.map((row) => row.id);
}

/** A project's subscriptions that have not ended and have no user in it, in the order of their ids. */
export async function findOwnerlessOf(
  database: Database,
  { projectId, after, limit }: { projectId: string; after: string; limit: number },
): Promise<string[]> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    SELECT s.id FROM public.subscriptions s LEFT JOIN public.users u ON u.id = s.user_ref
    WHERE s.id > ${after} AND (s.status IS NULL OR s.status NOT IN ('canceled', 'incomplete_expired'))
      AND u.project_id IS DISTINCT FROM ${projectId}
      AND NOT EXISTS (SELECT FROM public.object_owners o WHERE o.object_id = s.id AND o.project_id = ${projectId})
      AND (s.claimed_project_id = ${projectId} OR EXISTS (
        SELECT FROM public.subscription_items i ${soldAs}
        WHERE i.subscription_id = s.id AND products.project_id = ${projectId}))
    ORDER BY s.id LIMIT ${limit}`;
  return rows.map((row) => row.id);
}
