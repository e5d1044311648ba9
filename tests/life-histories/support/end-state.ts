import { defaultPolicy, deriveEntitlements, hourMs } from '@billing/domain';
import type { AccessPolicy } from '@billing/domain';
import { readSources } from '@billing/store';
import { dayS, projectId } from './life.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

type StoredRow = Record<string, unknown> & { id: string };

type Granted = { at: string; policy: string; entitlements: object[] };

export type EndState = {
  subscriptions: StoredRow[];
  purchases: StoredRow[];
  granted: Granted[];
};

export type LedgerRow = { event_id: string; status: string; reason: string | null };

const policies: Record<string, AccessPolicy> = {
  default: defaultPolicy,
  strict: {
    past_due_grace_days: 0,
    unpaid: 'deny',
    paused: 'deny',
    incomplete: 'deny',
    pause_collection: 'deny',
    partial_refund_threshold: 0.01,
    dispute: 'hold',
    accept_buyer_hints: 'grant',
    past_due_allowance: 'withhold',
    usage_timezone: 'UTC',
  },
  lenient: {
    past_due_grace_days: 30,
    unpaid: 'allow',
    paused: 'allow',
    incomplete: 'allow',
    pause_collection: 'allow',
    partial_refund_threshold: 1,
    dispute: 'ignore',
    accept_buyer_hints: 'grant',
    past_due_allowance: 'grant',
    usage_timezone: 'UTC',
  },
};

/** Days after the story's end at which the entitlements are compared. */
const moments = { 'just after': 1 / 24, 'in 6 days': 6, 'in 20 days': 20, 'in 40 days': 40 };

/**
 * Columns that may differ: counters, our own times and the schedule of rechecks; whether there was a lookup
 * (only it knows an invoice's `created`, and what a read of Stripe showed); which of several events with the same content is named. A payment's
 * `record` is what its other fields are computed from, and a lookup replaces what events would have added. So
 * with `claims_at`.
 */
const notState = [
  'fence',
  'created_at',
  'updated_at',
  'settle_at',
  'settle_attempts',
  'missing_in_stripe_at',
  'latest_invoice_created_at',
  'past_due_read_at',
  'past_due_read_since',
  'snapshot_at',
  'snapshot_event_id',
  'record',
  'claims_at',
  // Only some lives have claims; the owner is compared.
  'claimed_user_id',
  'claimed_project_id',
  'claimed_user_source',
  'project_claimed_at',
  // Which periods were heard of.
  'first_period_start',
];

type StateRow = { subscriptions: StoredRow[]; purchases: StoredRow[]; ledger: LedgerRow[] };

/** Whether rows of this life wait for a recheck. */
export async function needsRecheck({ database }: Pick<World, 'database'>, life: Life): Promise<boolean> {
  const ids = life.ids();
  const [row] = await database.$queryRaw<{ due: boolean }[]>`
    SELECT EXISTS (SELECT FROM subscriptions WHERE id = ANY(${ids}) AND settle_at IS NOT NULL)
      OR EXISTS (SELECT FROM purchases WHERE id = ANY(${ids}) AND settle_at IS NOT NULL) AS due`;
  return row?.due === true;
}

/** All that is stored about a life, and the entitlements. The run's name in ids is replaced by `RUN`. */
export async function endStateOf(
  { database }: Pick<World, 'database'>,
  life: Life,
  eventIds: readonly string[],
): Promise<{ state: EndState; ledger: LedgerRow[] }> {
  const ids = life.ids();
  const rows = await database.$queryRaw<StateRow[]>`
    SELECT
      (SELECT coalesce(jsonb_agg(to_jsonb(s) - 'user_ref' || jsonb_build_object('owner', u.user_id,
        'items', (SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY item_id), '[]')
                  FROM subscription_items i WHERE i.subscription_id = s.id)) ORDER BY s.id), '[]')
       FROM subscriptions s LEFT JOIN users u ON u.id = s.user_ref WHERE s.id = ANY(${ids})) AS subscriptions,
      (SELECT coalesce(jsonb_agg(to_jsonb(p) - 'user_ref' || jsonb_build_object('owner', u.user_id,
        'items', (SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY stripe_price_id), '[]')
                  FROM purchase_items i WHERE i.purchase_id = p.id)) ORDER BY p.id), '[]')
       FROM purchases p LEFT JOIN users u ON u.id = p.user_ref WHERE p.id = ANY(${ids})) AS purchases,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('event_id', event_id, 'status', status, 'reason', reason)
        ORDER BY event_id), '[]')
       FROM stripe_events WHERE event_id = ANY(${[...eventIds]})) AS ledger`;
  const [row] = rows;
  if (row === undefined) throw new Error('the state was not read');
  const state = {
    subscriptions: row.subscriptions.map(withoutOurs),
    purchases: row.purchases.map(withoutOurs).map(withoutOwnerOfNothing).map(withoutOwnerOfReceipt),
    granted: await grantedTo(database, life),
  };
  return { state: withoutRun(state, life), ledger: row.ledger };
}

function withoutOurs(row: StoredRow): StoredRow {
  const kept = Object.entries(row).filter(([column]) => !notState.includes(column));
  return { id: row.id, ...Object.fromEntries(kept) };
}

/** A payment that is not a purchase (a subscription's) grants nothing, whoever owns its row. */
function withoutOwnerOfNothing(row: StoredRow): StoredRow {
  const isPurchase = row['session_id'] !== null || row['status'] !== 'pending' || !isEmpty(row['items']);
  return isPurchase ? row : { ...row, owner: null };
}

/** An invoice that only records another purchase grants nothing either. */
function withoutOwnerOfReceipt(row: StoredRow, _: number, all: readonly StoredRow[]): StoredRow {
  return all.some((other) => other['receipt_invoice_id'] === row.id) ? { ...row, owner: null } : row;
}

const isEmpty = (items: unknown): boolean => Array.isArray(items) && items.length === 0;

function withoutRun<T>(value: T, life: Life): T {
  return JSON.parse(JSON.stringify(value).replaceAll(life.run, 'RUN')) as T;
}

async function grantedTo(database: World['database'], life: Life): Promise<Granted[]> {
  const found = (await readSources(database, projectId, [life.userId])).get(life.userId);
  if (found === undefined) throw new Error('the project does not exist');
  return Object.entries(moments).flatMap(([at, days]) =>
    Object.entries(policies).map(([policy, rules]) => {
      const now = (life.now() + days * dayS) * 1000;
      const context = { policy: rules, now, renewalAllowanceMs: 24 * hourMs };
      return { at, policy, entitlements: deriveEntitlements(found.sources, context).entitlements };
    }),
  );
}
