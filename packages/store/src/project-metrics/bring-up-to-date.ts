import type { Database, Queries } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import { partsOf } from './parts-sql.ts';

/** Subscriptions that one transaction sums. */
const summedAtOnce = 5_000;

const minus = (quantities: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`ARRAY(SELECT -q FROM unnest(${quantities}) WITH ORDINALITY AS listed(q, nth) ORDER BY nth)`;

/** What identifies subscriptions that are alike, besides their project. */
const sumKey = Prisma.sql`
  md5(jsonb_build_array(status, (date_part('epoch', past_due_since) * 1000)::bigint, terms_key, discount_ends)::text)::uuid`;

type Summed = { projectId: string; sumKey: string; isEmpty: boolean };

/**
 * One statement, so one snapshot: what the subscriptions are now replaces what the sums have of them. What changes later
 * leaves a row in `subscription_changes` that this snapshot does not see. `taken` selects `subscription_id`.
 */
const sumStatement = (taken: Prisma.Sql): Prisma.Sql => Prisma.sql`
  WITH taken AS (${taken}),
  fresh AS MATERIALIZED (
    SELECT *, ${sumKey} AS sum_key
    FROM (${partsOf(Prisma.sql`ARRAY(SELECT DISTINCT subscription_id FROM taken)`)}) part),
  stored AS MATERIALIZED (
    SELECT subscription_id, project_id, sum_key, quantities FROM public.summed_subscriptions
    WHERE subscription_id = ANY(ARRAY(SELECT DISTINCT subscription_id FROM taken))),
  compared AS MATERIALIZED (
    SELECT subscription_id, project_id, stored.sum_key AS old_key, stored.quantities AS old_quantities,
      fresh.sum_key AS new_key, fresh.quantities AS new_quantities
    FROM fresh FULL JOIN stored USING (subscription_id, project_id)
    WHERE (fresh.sum_key, fresh.quantities) IS DISTINCT FROM (stored.sum_key, stored.quantities)),
  removed AS (
    DELETE FROM public.summed_subscriptions AS one USING compared
    WHERE one.subscription_id = compared.subscription_id AND one.project_id = compared.project_id AND new_key IS NULL),
  written AS (
    INSERT INTO public.summed_subscriptions (subscription_id, project_id, sum_key, quantities)
    SELECT subscription_id, project_id, new_key, new_quantities FROM compared WHERE new_key IS NOT NULL
    ON CONFLICT (subscription_id, project_id) DO UPDATE SET sum_key = excluded.sum_key, quantities = excluded.quantities),
  kept_terms AS (
    INSERT INTO public.subscription_terms (terms_key, terms)
    SELECT DISTINCT ON (terms_key) terms_key, terms FROM fresh WHERE terms_key IS NOT NULL
    ON CONFLICT (terms_key) DO NOTHING),
  steps AS MATERIALIZED (
    SELECT project_id, new_key AS sum_key, 1 AS step, new_quantities AS quantities FROM compared WHERE new_key IS NOT NULL
    UNION ALL
    SELECT project_id, old_key, -1, ${minus(Prisma.sql`old_quantities`)} FROM compared WHERE old_key IS NOT NULL),
  added AS (SELECT project_id, sum_key, sum(step) AS subscriptions FROM steps GROUP BY 1, 2),
  added_quantities AS (
    SELECT project_id, sum_key, array_agg(quantity ORDER BY nth) AS quantities
    FROM (SELECT project_id, sum_key, nth, sum(q) AS quantity
      FROM steps, unnest(quantities) WITH ORDINALITY AS listed(q, nth) GROUP BY 1, 2, 3) each
    GROUP BY 1, 2),
  alike AS (
    SELECT project_id, sum_key, status, past_due_since, terms_key, discount_ends FROM public.subscription_sums
    WHERE (project_id, sum_key) IN (SELECT project_id, old_key FROM compared)
    UNION
    SELECT project_id, sum_key, status, past_due_since, terms_key, discount_ends FROM fresh)
  INSERT INTO public.subscription_sums AS stored
    (project_id, sum_key, status, past_due_since, terms_key, discount_ends, subscriptions, quantities)
  SELECT project_id, sum_key, status, past_due_since, terms_key, discount_ends, subscriptions,
    coalesce(quantities, '{}')
  FROM added JOIN alike USING (project_id, sum_key) LEFT JOIN added_quantities USING (project_id, sum_key)
  WHERE subscriptions <> 0 OR EXISTS (SELECT FROM unnest(quantities) AS q WHERE q <> 0)
  ON CONFLICT (project_id, sum_key) DO UPDATE SET subscriptions = stored.subscriptions + excluded.subscriptions,
    quantities = ARRAY(
      SELECT a + b FROM unnest(stored.quantities, excluded.quantities) WITH ORDINALITY AS listed(a, b, nth) ORDER BY nth)
  RETURNING project_id AS "projectId", sum_key::text AS "sumKey", subscriptions = 0 AS "isEmpty"`;

/** Sums of which nothing is left: else each moment at which a payment was late would stay for ever. */
async function deleteEmpty(tx: Queries, summed: readonly Summed[]): Promise<void> {
  const empty = summed.filter(({ isEmpty }) => isEmpty);
  if (empty.length === 0) return;
  await tx.$executeRaw`
    DELETE FROM public.subscription_sums
    WHERE (project_id, sum_key) IN (
      SELECT * FROM unnest(${empty.map((one) => one.projectId)}::text[], ${empty.map((one) => one.sumKey)}::uuid[]))`;
}

/** One process sums at a time; the lock ends with the transaction. */
async function isAlone(tx: Queries): Promise<boolean> {
  const [row] = await tx.$queryRaw<{ isAlone: boolean }[]>`
    SELECT pg_try_advisory_xact_lock(hashtext('public.subscription_sums')) AS "isAlone"`;
  return row?.isAlone === true;
}

/** Waits for a process that sums. */
export async function lockSums(tx: Queries): Promise<void> {
  await tx.$queryRaw`SELECT 1 FROM pg_advisory_xact_lock(hashtext('public.subscription_sums'))`;
}

/** Takes out the oldest changes, and brings the sums up to them. Returns whether more are waiting, as far as it saw. */
export function sumChanges(database: Database, atOnce = summedAtOnce): Promise<boolean> {
  return database.$transaction(async (tx) => {
    if (!(await isAlone(tx))) return false;
    const [waiting] = await tx.$queryRaw<{ count: number }[]>`
      SELECT count(*)::int AS count FROM (SELECT FROM public.subscription_changes LIMIT ${atOnce}) waiting`;
    if (waiting === undefined || waiting.count === 0) return false;
    const summed = await tx.$queryRaw<Summed[]>(
      sumStatement(Prisma.sql`
        DELETE FROM public.subscription_changes WHERE id = ANY(ARRAY(
          SELECT id FROM public.subscription_changes ORDER BY id LIMIT ${atOnce}))
        RETURNING subscription_id`),
    );
    await deleteEmpty(tx, summed);
    return waiting.count === atOnce;
  });
}

/**
 * Sums the next subscriptions by their ids, those that were there before the sums were. Writers beside are counted
 * once: their change is summed by itself, and a subscription that is summed already adds nothing. Returns whether more are left.
 */
export function sumNextPage(database: Database, atOnce = summedAtOnce): Promise<boolean> {
  return database.$transaction(async (tx) => {
    if (!(await isAlone(tx))) return false;
    const [state] = await tx.$queryRaw<{ summedTo: string; isComplete: boolean }[]>`
      SELECT summed_to AS "summedTo", completed_at IS NOT NULL AS "isComplete" FROM public.subscription_sums_state`;
    if (state === undefined || state.isComplete) return false;
    const after = state.summedTo;
    const [page] = await tx.$queryRaw<{ last: string | null }[]>`
      SELECT max(id) AS last FROM (
        SELECT id FROM public.subscriptions WHERE id > ${after} ORDER BY id LIMIT ${atOnce}) page`;
    const last = page?.last ?? null;
    if (last === null) {
      await tx.$executeRaw`UPDATE public.subscription_sums_state SET completed_at = clock_timestamp()`;
      return false;
    }
    const summed = await tx.$queryRaw<Summed[]>(
      sumStatement(Prisma.sql`
        SELECT id AS subscription_id FROM public.subscriptions WHERE id > ${after} AND id <= ${last}`),
    );
    await deleteEmpty(tx, summed);
    await tx.$executeRaw`UPDATE public.subscription_sums_state SET summed_to = ${last}`;
    return true;
  });
}

/** Empties the sums; a worker makes them anew, and until then metrics are counted directly. */
export async function emptySums(database: Database): Promise<void> {
  await database.$transaction(
    async (tx) => {
      await lockSums(tx);
      await tx.$executeRaw`UPDATE public.subscription_sums_state SET summed_to = '', completed_at = NULL`;
      await tx.$executeRaw`DELETE FROM public.subscription_sums`;
      await tx.$executeRaw`DELETE FROM public.summed_subscriptions`;
      await tx.$executeRaw`DELETE FROM public.subscription_terms`;
    },
    { timeout: 300_000 },
  );
}

/** Whether there is anything to sum. */
export async function hasToSum(database: Pick<Database, '$queryRaw'>): Promise<boolean> {
  const [row] = await database.$queryRaw<{ hasToSum: boolean }[]>`
    SELECT completed_at IS NULL OR EXISTS (SELECT FROM public.subscription_changes) AS "hasToSum"
    FROM public.subscription_sums_state`;
  return row?.hasToSum === true;
}
