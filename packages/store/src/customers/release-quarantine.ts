import { isPurchase, planOwners, quarantineReasons, withNamedPrices } from '@billing/domain';
import type { KnownOwners, OwnersPlan, PurchaseRow, SubscriptionRow, Waits } from '@billing/domain';
import type { PendingInvalidation } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import type { EventState } from '../events/event-state.ts';
import { keyOf, objectKeyOf } from '../events/outcomes.ts';
import type { ObjectKey, Outcome } from '../events/outcomes.ts';
import { readEventState } from '../events/read-state.ts';
import { writeOutcomes } from '../events/write-outcomes.ts';
import { retryOnDeadlock } from '../retry-on-deadlock.ts';

/*
 * What was quarantined is released by deciding the stored objects' owners again, by the same rules as events are: no call
 * to Stripe. All of these may be called any number of times. Who maps something calls them in the mapping's transaction
 * and once more after it (`releaseAgain`); who records an object that waits calls them after its commit. So, whoever
 * commits last, one of the two sees the other.
 */

/** How many objects got another owner, and how many events count now. */
export type Released = {
  subscriptions: number;
  purchases: number;
  events: number;
  pending: PendingInvalidation[];
};

/** After the commit of a mapping: an object that came in between was recorded without seeing it. */
export const releaseAgain = <T>(database: Database, release: (tx: Queries) => Promise<T>): Promise<T> =>
  retryOnDeadlock(() => database.$transaction(release));

type Release = {
  objects: readonly ObjectKey[];
  /** What events may wait for. */
  names: readonly string[];
  /** The names are mapped: an event about no stored object waits no longer. */
  areMapped: boolean;
};

/** Decides every object of a Stripe customer again. */
export async function releaseForCustomer(tx: Queries, stripeCustomerId: string): Promise<Released> {
  const objects = await tx.$queryRaw<ObjectKey[]>`
    SELECT 'subscription' AS kind, id FROM subscriptions WHERE stripe_customer_id = ${stripeCustomerId}
    UNION ALL
    SELECT 'purchase', id FROM purchases WHERE stripe_customer_id = ${stripeCustomerId}`;
  const areMapped = (await tx.customer.count({ where: { stripeCustomerId, userRef: { not: null } } })) > 0;
  return release(tx, { objects, names: [stripeCustomerId], areMapped });
}

/** Decides an object again, and what else its customer has: their events may wait for the same. */
export async function releaseForObject(tx: Queries, object: ObjectKey): Promise<Released> {
  const where = { where: { id: object.id }, select: { stripeCustomerId: true } };
  const stored =
    object.kind === 'subscription'
      ? await tx.subscription.findUnique(where)
      : await tx.purchase.findUnique(where);
  const customerId = stored?.stripeCustomerId ?? null;
  if (customerId !== null) return releaseForCustomer(tx, customerId);
  return release(tx, { objects: [object], names: [object.id], areMapped: false });
}

type NewPrice = { projectId: string; priceId: string; stripePriceId: string };

/**
 * Decides what a Stripe price is in: features come from the catalog at each read, so only those objects are concerned
 * that have no owner in the price's project, or name the price by our id.
 */
export async function releaseForPrice(
  tx: Queries,
  { projectId, priceId, stripePriceId }: NewPrice,
): Promise<PendingInvalidation[]> {
  const objects = await tx.$queryRaw<ObjectKey[]>`
    SELECT DISTINCT 'subscription' AS kind, s.id
    FROM subscription_items i JOIN subscriptions s ON s.id = i.subscription_id LEFT JOIN users u ON u.id = s.user_ref
    WHERE i.stripe_price_id = ${stripePriceId} AND u.project_id IS DISTINCT FROM ${projectId}
    UNION
    SELECT 'purchase', p.id
    FROM purchase_items i JOIN purchases p ON p.id = i.purchase_id LEFT JOIN users u ON u.id = p.user_ref
    WHERE i.stripe_price_id IN (${stripePriceId}, ${priceId})
      AND (u.project_id IS DISTINCT FROM ${projectId} OR i.stripe_price_id <> ${stripePriceId})`;
  const { pending } = await release(tx, { objects, names: [stripePriceId, priceId], areMapped: true });
  return pending;
}

/** Decides the objects that name a project, now that it exists. */
export async function releaseForProject(tx: Queries, projectId: string): Promise<PendingInvalidation[]> {
  const objects = await tx.$queryRaw<ObjectKey[]>`
    SELECT 'subscription' AS kind, id FROM subscriptions
    WHERE user_ref IS NULL AND claimed_project_id = ${projectId} AND claimed_user_id IS NOT NULL
    UNION ALL
    SELECT 'purchase', id FROM purchases
    WHERE user_ref IS NULL AND claimed_project_id = ${projectId} AND claimed_user_id IS NOT NULL`;
  const { pending } = await release(tx, { objects, names: [projectId], areMapped: true });
  return pending;
}

/** Few enough that one statement holds up no worker. */
const objectsAtOnce = 200;

async function release(tx: Queries, { objects, names, areMapped }: Release): Promise<Released> {
  const waiting = await findWaiting(tx, names);
  const all = [
    ...objects,
    ...(await findObjects(
      tx,
      waiting.flatMap(({ objectId }) => objectId ?? []),
    )),
  ];
  const unique = [...new Map(all.map((key) => [keyOf(key), key])).values()];
  const released: Released = { subscriptions: 0, purchases: 0, events: 0, pending: [] };
  const decided: Decided[] = [];
  for (let from = 0; from < unique.length; from += objectsAtOnce) {
    const some = await decideAndWrite(tx, unique.slice(from, from + objectsAtOnce));
    decided.push(...some.decided);
    released.pending.push(...some.pending);
  }
  for (const { kind, plan } of decided) if (plan.isChanged) released[`${kind}s`] += 1;
  const customers = decided.flatMap(({ customerId, plan }) => (plan.isChanged ? (customerId ?? []) : []));
  const others = await findWaiting(tx, [...names, ...customers]);
  return { ...released, events: await updateWaiting(tx, { decided, others, areMapped }) };
}

type Decided = ObjectKey & {
  customerId: string | null;
  /** Ids by which events name the object. */
  eventObjectIds: readonly string[];
  plan: OwnersPlan;
};

const mostRounds = 5;

/** Decides and writes; an object that changed meanwhile is decided again, and at last left to its writer. */
async function decideAndWrite(
  tx: Queries,
  keys: readonly ObjectKey[],
): Promise<{ decided: Decided[]; pending: PendingInvalidation[] }> {
  const decided = new Map<string, Decided>();
  const pending: PendingInvalidation[] = [];
  let left = keys;
  for (let round = 0; round < mostRounds && left.length > 0; round += 1) {
    const state = await readEventState(inTransaction(tx), toStateKeys(left));
    const decisions = left.flatMap((key) => decide(key, state));
    const outcomes = decisions.flatMap(({ outcome }) => outcome ?? []);
    const result = outcomes.length === 0 ? null : await writeOutcomes(inTransaction(tx), outcomes);
    pending.push(...(result?.pending ?? []));
    left = [];
    for (const { outcome, ...one } of decisions) {
      if (outcome === null || result?.written.has(objectKeyOf(outcome) ?? '') === true)
        decided.set(keyOf(one), one);
      else left = [...left, one];
    }
  }
  return { decided: [...decided.values()], pending };
}

const inTransaction = (tx: Queries): Pick<Database, '$queryJson'> => ({
  async $queryJson<T>(statement: Parameters<Database['$queryJson']>[0]): Promise<T> {
    const [row] = await tx.$queryRaw<{ json_build_object: T }[]>(statement);
    if (row === undefined) throw new Error('a statement returned no JSON');
    return row.json_build_object;
  },
});

const toStateKeys = (keys: readonly ObjectKey[]) => ({
  eventIds: [],
  subscriptionIds: keys.filter(({ kind }) => kind === 'subscription').map(({ id }) => id),
  purchaseIds: keys.filter(({ kind }) => kind === 'purchase').map(({ id }) => id),
  customerIds: [],
  priceIds: [],
  userIds: [],
  projectIds: [],
});

type Decision = Decided & { outcome: Outcome | null };

/** A payment that is not known to have bought anything is left as it is. */
function decide({ kind, id }: ObjectKey, state: EventState): Decision[] {
  if (kind === 'subscription') {
    const stored = state.subscriptions.get(id);
    return stored === undefined ? [] : [decideSubscription(stored.row, stored.owners, state)];
  }
  const stored = state.purchases.get(id);
  return stored === undefined ? [] : decidePurchase(stored.row, stored.owners, state);
}

function decideSubscription(row: SubscriptionRow, known: KnownOwners, state: EventState): Decision {
  const plan = planOwners({ before: row, row, known }, state);
  const outcome: Outcome = {
    kind: 'subscription',
    row,
    hasNewItems: false,
    ...toWrite(plan, plan.isChanged),
  };
  return {
    ...{ kind: 'subscription', id: row.id, customerId: row.customerId, eventObjectIds: [row.id], plan },
    outcome: isWritten(plan, known) ? outcome : null,
  };
}

function decidePurchase(before: PurchaseRow, known: KnownOwners, state: EventState): Decision[] {
  const row = withNamedPrices(before, state, known);
  if (!isPurchase(row)) return [];
  const plan = planOwners({ before, row, known }, state);
  const hasNewItems = row !== before;
  const outcome: Outcome = {
    kind: 'purchase',
    row,
    hasNewItems,
    ...toWrite(plan, plan.isChanged || hasNewItems),
  };
  const { id, customerId, sessionId, chargeId } = row;
  const eventObjectIds = [id, sessionId, chargeId].filter((one) => one !== null);
  return [
    {
      ...{ kind: 'purchase', id, customerId, eventObjectIds, plan },
      outcome: hasNewItems || isWritten(plan, known) ? outcome : null,
    },
  ];
}

const isWritten = ({ owner, others }: OwnersPlan, { first }: KnownOwners): boolean =>
  others !== undefined || owner?.ref !== first?.ref || owner?.ref === null;

const toWrite = ({ owner, others, concerned }: OwnersPlan, isChanged: boolean) => ({
  owner,
  ...(others && { others }),
  bumps: isChanged ? [...new Set(concerned.flatMap(({ ref }) => ref ?? []))] : [],
  events: [],
});

type WaitingEvent = { eventId: string; objectId: string | null; awaits: string };

async function findWaiting(tx: Queries, names: readonly string[]): Promise<WaitingEvent[]> {
  if (names.length === 0) return [];
  return tx.$queryRaw<WaitingEvent[]>`
    SELECT event_id AS "eventId", object_id AS "objectId", awaits FROM stripe_events
    WHERE awaits = ANY(${[...new Set(names)]}::text[]) AND status = 'quarantined'
      AND reason = ANY(${[...quarantineReasons]}::text[])`;
}

/** The stored objects that events name. */
async function findObjects(tx: Queries, objectIds: readonly string[]): Promise<ObjectKey[]> {
  if (objectIds.length === 0) return [];
  const ids = [...new Set(objectIds)];
  return tx.$queryRaw<ObjectKey[]>`
    SELECT 'subscription' AS kind, id FROM subscriptions WHERE id = ANY(${ids}::text[])
    UNION
    SELECT 'purchase', id FROM purchases
    WHERE id = ANY(${ids}::text[]) OR session_id = ANY(${ids}::text[]) OR charge_id = ANY(${ids}::text[])`;
}

type Update = {
  object_id: string | null;
  event_id: string | null;
  reason: string | null;
  awaits: string | null;
};

const entryOf = (waits: Waits | null) => ({ reason: waits?.reason ?? null, awaits: waits?.awaits ?? null });

/**
 * What events about none of the objects wait for: those of a session or an invoice wait as long as an object that waits
 * for the same does.
 */
function foreignUpdates(
  others: readonly WaitingEvent[],
  { decided, areMapped }: { decided: readonly Decided[]; areMapped: boolean },
): Update[] {
  const own = new Set(decided.flatMap(({ eventObjectIds }) => eventObjectIds));
  return others.flatMap(({ eventId, objectId, awaits }) => {
    if (objectId !== null && own.has(objectId)) return [];
    const related = decided.filter(({ id, customerId }) => awaits === customerId || awaits === id);
    if (related.length === 0 && !areMapped) return [];
    const waits = related.find(({ plan }) => plan.waits !== null)?.plan.waits ?? null;
    return [{ object_id: null, event_id: eventId, ...entryOf(waits) }];
  });
}

/** Brings the ledger's waiting rows up to date; returns how many events count now. */
async function updateWaiting(
  tx: Queries,
  {
    decided,
    others,
    areMapped,
  }: { decided: readonly Decided[]; others: readonly WaitingEvent[]; areMapped: boolean },
): Promise<number> {
  const updates: Update[] = [
    ...decided.flatMap(({ eventObjectIds, plan }) =>
      eventObjectIds.map((objectId) => ({ object_id: objectId, event_id: null, ...entryOf(plan.waits) })),
    ),
    ...foreignUpdates(others, { decided, areMapped }),
  ];
  if (updates.length === 0) return 0;
  const rows = await tx.$queryRaw<{ status: string }[]>`
    WITH change AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(updates)}::jsonb)
        AS x (object_id text COLLATE "C", event_id text COLLATE "C", reason text, awaits text COLLATE "C")),
    found AS (
      SELECT e.event_id, change.reason, change.awaits FROM change JOIN stripe_events e ON e.object_id = change.object_id
      WHERE e.status = 'quarantined'
      UNION ALL
      SELECT e.event_id, change.reason, change.awaits FROM change JOIN stripe_events e ON e.event_id = change.event_id
      WHERE e.status = 'quarantined'),
    locked AS (
      SELECT event_id FROM stripe_events
      WHERE event_id = ANY(ARRAY(SELECT event_id FROM found)) ORDER BY event_id FOR UPDATE)
    UPDATE stripe_events e SET
      status = CASE WHEN found.reason IS NULL THEN 'applied' ELSE 'quarantined' END,
      reason = found.reason, awaits = found.awaits, processed_at = now()
    FROM found JOIN locked USING (event_id)
    WHERE e.event_id = found.event_id AND e.status = 'quarantined'
      AND e.reason = ANY(${[...quarantineReasons]}::text[])
      AND (e.reason, e.awaits) IS DISTINCT FROM (found.reason, found.awaits)
    RETURNING e.status`;
  return rows.filter(({ status }) => status === 'applied').length;
}
