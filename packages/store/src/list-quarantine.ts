import type { QuarantineQuery, Waits } from '@billing/domain';
import type { Database } from './create-database.ts';
import { decide, toStateKeys } from './customers/decide-again.ts';
import { ownerSourceSql, quarantinesHints } from './customers/owner-source.ts';
import type { ObjectKey } from './events/outcomes.ts';
import { keyOf } from './events/outcomes.ts';
import { readEventState } from './events/read-state.ts';
import { Prisma } from './generated/client.ts';
import { given } from './given.ts';
import { listLedger } from './ledger.ts';
import { decodeCursor, timeAndIdKey, toPage } from './page.ts';
import type { Page } from './page.ts';
import type { LedgerRow, OnlyProject } from './ledger.ts';

/** What waits: an event, or an object that a list of Stripe brought and of which no event is quarantined. */
export type QuarantineRow = Omit<LedgerRow, 'eventId' | 'type' | 'projectId' | 'apiVersion'> & {
  eventId: string | null;
  type: string | null;
};

type Position = { at: number; id: string } | null;

const positionOf = ({ processedAt, eventId, objectId }: QuarantineRow): [number, string] => [
  processedAt.getTime(),
  eventId ?? objectId ?? '',
];

const newestFirst = (a: QuarantineRow, b: QuarantineRow): number => {
  const [[atA, idA], [atB, idB]] = [positionOf(a), positionOf(b)];
  return atB - atA || (idA < idB ? 1 : -1);
};

/** The events and objects that wait until a customer, price or project is mapped, newest first. */
export async function listQuarantine(
  database: Database,
  query: QuarantineQuery & OnlyProject,
): Promise<Page<QuarantineRow>> {
  const { limit, reason, cursor, onlyProject = null } = query;
  const projectId = given(onlyProject ?? undefined);
  const events = await listLedger(
    database,
    { status: 'quarantined', reason: given(reason), projectId },
    query,
  );
  const [at, id] = cursor === undefined ? [] : decodeCursor(timeAndIdKey, cursor);
  const after = at === undefined || id === undefined ? null : { at, id };
  const objects = await findWaitingObjects(database, { reason, limit: limit + 1, after, onlyProject });
  const rows = [...events.rows, ...objects].sort(newestFirst);
  const page = toPage(rows, limit, positionOf);
  // Of the events one more was read than is returned here.
  return events.nextCursor === null || rows.length > limit
    ? page
    : { ...page, nextCursor: events.nextCursor };
}

type Candidate = ObjectKey & { customerId: string | null; foundAt: Date };

const perRead = 200;

/** Reads candidates until enough of them wait for the reason that was asked for. */
async function findWaitingObjects(
  database: Database,
  {
    reason,
    limit,
    after,
    onlyProject,
  }: { reason: string | undefined; limit: number; after: Position; onlyProject: string | null },
): Promise<QuarantineRow[]> {
  const rows: QuarantineRow[] = [];
  for (let position = after; ;) {
    const candidates = await readCandidates(database, position, onlyProject);
    const waits = await readWaits(database, candidates);
    for (const one of candidates) {
      const found = waits.get(keyOf(one));
      if (found !== undefined && (reason === undefined || found.reason === reason))
        rows.push(toRow(one, found));
    }
    const last = candidates.at(-1);
    if (last === undefined || candidates.length < perRead || rows.length >= limit)
      return rows.slice(0, limit);
    position = { at: last.foundAt.getTime(), id: last.id };
  }
}

/** What stored objects wait for, by the rule by which their owners are decided. */
async function readWaits(
  database: Database,
  keys: readonly ObjectKey[],
): Promise<ReadonlyMap<string, Waits>> {
  if (keys.length === 0) return new Map();
  const state = await readEventState(database, toStateKeys(keys));
  const decided = keys.flatMap((key) => decide(key, state));
  return new Map(
    decided.flatMap(({ kind, id, plan }) =>
      plan.waits === null ? [] : [[keyOf({ kind, id }), plan.waits] as const],
    ),
  );
}

function toRow({ id, customerId, foundAt }: Candidate, { reason, awaits }: Waits): QuarantineRow {
  return {
    eventId: null,
    type: null,
    objectId: id,
    customerId,
    status: 'quarantined',
    reason,
    awaits,
    created: foundAt,
    receivedAt: foundAt,
    processedAt: foundAt,
    traceId: null,
    attempts: 0,
  };
}

/** The prices of a table of items that no catalog has by themselves; the index is read from one price to the next. */
const unknownPrices = (items: Prisma.Sql): Prisma.Sql => Prisma.sql`
  WITH RECURSIVE sold (id) AS (
    SELECT min(stripe_price_id) FROM ${items}
    UNION ALL
    SELECT (SELECT min(stripe_price_id) FROM ${items} WHERE stripe_price_id > sold.id)
    FROM sold WHERE sold.id IS NOT NULL)
  SELECT id FROM sold WHERE id IS NOT NULL AND NOT EXISTS (SELECT FROM public.prices p WHERE p.stripe_price_id = sold.id)`;

const isOfKnownProduct = Prisma.sql`
  EXISTS (SELECT FROM public.products p WHERE p.stripe_product_id = i.stripe_product_id)`;

const isOpen = Prisma.sql`(s.status IS NULL OR s.status NOT IN ('canceled', 'incomplete_expired'))`;

const isQuarantined = (ids: Prisma.Sql): Prisma.Sql => Prisma.sql`
  EXISTS (SELECT FROM public.stripe_events e WHERE e.status = 'quarantined' AND e.object_id = ANY(${ids}))`;

/** Beside the row of an object `s` or `p`: its owner, whom only a hint names, in a project that accepts none. */
const hintedOwner = (alias: 's' | 'p', onlyProject: string | null): Prisma.Sql => Prisma.sql`
  JOIN public.users ON users.id = ${Prisma.raw(alias)}.user_ref
  JOIN public.projects j ON j.id = users.project_id AND ${quarantinesHints('j')}
    AND ${onlyProject === null ? Prisma.sql`true` : Prisma.sql`j.id = ${onlyProject}`}
  WHERE ${Prisma.raw(alias)}.claimed_user_source = 'buyer_hint' AND ${ownerSourceSql(alias)} = 'buyer_hint'`;

/**
 * Objects without an owner (of no project yet), with a price that no catalog has, or whose owner does not count; of which no
 * event waits; newest first.
 */
async function readCandidates(
  database: Database,
  after: Position,
  onlyProject: string | null,
): Promise<Candidate[]> {
  const isAnyProject = onlyProject === null;
  const isAfter =
    after === null ? Prisma.sql`true` : Prisma.sql`(created_at, id) < (${new Date(after.at)}, ${after.id})`;
  // By their ids: with OR all rows would be read, nearly none of which waits.
  const subscriptionsOf = Prisma.sql`
    SELECT o.id FROM public.subscriptions o WHERE o.user_ref IS NULL
    UNION ALL SELECT i.subscription_id FROM public.subscription_items i
    WHERE i.stripe_price_id IN (${unknownPrices(Prisma.sql`public.subscription_items`)}) AND NOT ${isOfKnownProduct}`;
  const purchasesOf = Prisma.sql`
    SELECT o.id FROM public.purchases o WHERE o.user_ref IS NULL
    UNION ALL SELECT i.purchase_id FROM public.purchase_items i
    WHERE i.stripe_price_id IN (${unknownPrices(Prisma.sql`public.purchase_items`)}) AND NOT ${isOfKnownProduct}`;
  return database.$queryRaw<Candidate[]>`
    SELECT kind, id, stripe_customer_id AS "customerId", created_at AS "foundAt"
    FROM (
      SELECT 'subscription' AS kind, s.id, s.stripe_customer_id, s.created_at FROM public.subscriptions s
      WHERE ${isAnyProject} AND s.id = ANY(ARRAY(${subscriptionsOf})) AND ${isOpen}
        AND NOT ${isQuarantined(Prisma.sql`ARRAY[s.id]`)}
      UNION
      SELECT 'subscription', s.id, s.stripe_customer_id, s.created_at FROM public.subscriptions s
      ${hintedOwner('s', onlyProject)} AND ${isOpen} AND NOT ${isQuarantined(Prisma.sql`ARRAY[s.id]`)}
      UNION
      SELECT 'purchase', p.id, p.stripe_customer_id, p.created_at FROM public.purchases p
      WHERE ${isAnyProject} AND p.invoice_id IS NULL AND p.id = ANY(ARRAY(${purchasesOf}))
        AND NOT ${isQuarantined(Prisma.sql`ARRAY[p.id, p.session_id, p.charge_id]`)}
      UNION
      SELECT 'purchase', p.id, p.stripe_customer_id, p.created_at FROM public.purchases p
      ${hintedOwner('p', onlyProject)} AND p.invoice_id IS NULL
        AND NOT ${isQuarantined(Prisma.sql`ARRAY[p.id, p.session_id, p.charge_id]`)}
    ) one
    WHERE ${isAfter} ORDER BY created_at DESC, id DESC LIMIT ${perRead}`;
}
