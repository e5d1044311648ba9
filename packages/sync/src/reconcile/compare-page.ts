import { noOwners } from '@billing/domain';
import type { DriftEntry, FieldChange } from '@billing/domain';
import { noteRunObjects } from '@billing/store';
import type { Database, EventState, Outcome, Run, StoredObject } from '@billing/store';
import { changedFields, storedBefore } from '../apply/plan-write.ts';
import type { WritePlan } from '../apply/plan-write.ts';
import { writePlans } from '../apply/write-plans.ts';
import type { MaintenanceDeps } from '../deps.ts';
import { readPage } from '../stripe/ask-stripe.ts';
import type { PageLookup } from '../stripe/ask-stripe.ts';

/** What makes one of our rows equal to Stripe's object, and how they differ. */
export type Change = WritePlan & {
  /** Null: only what was not known before is added. */
  drift: DriftEntry | null;
};

const fieldsOf = (changes: readonly FieldChange[], side: 'before' | 'after'): Record<string, unknown> =>
  Object.fromEntries(changes.map((change) => [change.path, change[side]]));

/** The projects whose users own a part of an object, before or after. */
function projectsOf(
  { owner, others = [] }: Extract<Outcome, { owner: unknown }>,
  stored: StoredObject<unknown> | undefined,
): Set<string | undefined> {
  const { first, others: before } = stored?.owners ?? noOwners;
  return new Set(
    [owner, first, ...[...others, ...before].map((one) => one.owner)].map((one) => one?.projectId),
  );
}
/** Fields of which older versions of the service knew nothing, and coupons that were not looked up yet. */
const addedLater =
  /^(pause_behavior|pause_resumes_at|stripe_created_at|schedule(\.changes)?|pending_payment|discounts|discounts\.[^.]+\.(coupon|end)|items\.[^.]+\.(unit_amount|currency|interval|interval_count|usage_type|billed_quantity))$/;

const isAddition = ({ path, before }: FieldChange): boolean => before === null && addedLater.test(path);

/** The change that a plan makes; null: none, or the object belongs to another project than the run's. */
export function changeOf(
  plan: WritePlan,
  { state, projectId }: { state: EventState; projectId: string | null },
): Change | null {
  const { outcome } = plan;
  if (outcome?.kind !== 'subscription' && outcome?.kind !== 'purchase') return null;
  const stored = storedBefore(plan, state);
  if (projectId !== null && !projectsOf(outcome, stored).has(projectId)) return null;
  const changes = changedFields(plan, state);
  if (changes.length === 0) return null;
  const differences = changes.filter((change) => !isAddition(change));
  if (stored !== undefined && differences.length === 0) return { ...plan, drift: null };
  const drift: DriftEntry = {
    kind: `${outcome.kind}_${stored === undefined ? 'created' : 'updated'}`,
    object_id: outcome.row.id,
    before: stored === undefined ? null : fieldsOf(differences, 'before'),
    after: fieldsOf(stored === undefined ? changes : differences, 'after'),
  };
  return { ...plan, drift };
}

/**
 * Writes changes whose rows are still as they were before Stripe was asked; a row that changed meanwhile is left to
 * its writer. Returns and counts the repaired differences; a dry run only reports them.
 */
export async function repair(
  deps: MaintenanceDeps,
  { dryRun }: { dryRun: boolean },
  changes: readonly Change[],
): Promise<DriftEntry[]> {
  const repaired = dryRun || changes.length === 0 ? changes : await writePlans(deps, changes, 'reconcile');
  const drift = repaired.flatMap((change) => change.drift ?? []);
  for (const { kind } of drift) deps.metrics.reconcileDrift.inc({ kind });
  return drift;
}

/** An object as Stripe renders it in a list; what else is in it is parsed where it is needed. */
export type ListedObject = { id: string; created: number };

/** One of Stripe's lists: how a page is asked for, and what its objects mean for our rows. */
export type Listing = {
  list: (after: string | null) => Promise<{ data: ListedObject[]; has_more: boolean }>;
  /** Our ids of a page's objects. */
  idsOf: (rows: readonly ListedObject[]) => string[];
  /** Our rows of them, with their versions. */
  readState: (rows: readonly ListedObject[], database: Database) => Promise<EventState>;
  /** What differs. `mayLookUp`: the state was read before the page, so more may be looked up at Stripe. */
  compare: (rows: readonly ListedObject[], state: EventState, mayLookUp: boolean) => Promise<Comparison>;
};

export type Comparison =
  | { kind: 'compared'; changes: readonly Change[] }
  /** More must be looked up at Stripe, and the rows must be read before that. */
  | { kind: 'unsure' }
  | { kind: 'later'; pauseMs: number; why: string };

export type ComparedPage =
  | { kind: 'compared'; synced: number; objects: number; drift: readonly DriftEntry[]; after: string | null }
  | Exclude<PageLookup<never>, { kind: 'page' }>;

/**
 * Compares a page of a list with our rows, those of a replica at first: whoever wrote within the seconds that it lags was told by
 * Stripe. Without differences this is one request to Stripe. Otherwise the page is read
 * once more, now after our rows: only then does the row version tell whether a row changed while Stripe answered.
 */
export async function comparePage(
  deps: MaintenanceDeps,
  { run, after }: { run: Run; after: string | null },
  listing: Listing,
): Promise<ComparedPage> {
  const first = await readPage(deps, deps.signal, () => listing.list(after));
  if (first.kind !== 'page') return first;
  const { result: before } = await deps.replicas.read((reader) => listing.readState(first.rows, reader));
  const seen = await listing.compare(first.rows, before, false);
  if (seen.kind === 'later') return seen;
  if (seen.kind === 'compared' && seen.changes.length === 0)
    return compared(deps, run, { listing, page: first, drift: [] });
  const state = await listing.readState(first.rows, deps.database);
  const second = await readPage(deps, deps.signal, () => listing.list(after));
  if (second.kind !== 'page') return second;
  const known = new Set(first.rows.map((row) => row.id));
  const rows = second.rows.filter((row) => known.has(row.id));
  const sure = await listing.compare(rows, state, true);
  if (sure.kind !== 'compared')
    return sure.kind === 'later' ? sure : { kind: 'later', pauseMs: 1_000, why: 'a page needs more lookups' };
  return compared(deps, run, {
    listing,
    page: { ...second, rows },
    drift: await repair(deps, run, sure.changes),
  });
}

async function compared(
  deps: MaintenanceDeps,
  run: Run,
  found: {
    listing: Listing;
    page: { rows: ListedObject[]; hasMore: boolean };
    drift: readonly DriftEntry[];
  },
): Promise<ComparedPage> {
  const { listing, page, drift } = found;
  const synced = await noteRunObjects(deps.database, run.id, listing.idsOf(page.rows));
  const after = page.hasMore ? (page.rows.at(-1)?.id ?? null) : null;
  return { kind: 'compared', synced, objects: page.rows.length, drift, after };
}
