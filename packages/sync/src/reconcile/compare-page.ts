import { noteRunObjects } from '@billing/store';
import type { Run } from '@billing/store';
import type { DriftEntry } from '@billing/domain';
import type { MaintenanceDeps } from '../deps.ts';
import { readPage } from '../stripe/read-page.ts';
import type { PageLookup } from '../stripe/read-page.ts';
import { repair } from './change.ts';
import type { Change } from './change.ts';

/** An object as Stripe renders it in a list; what else is in it is parsed where it is needed. */
export type ListedObject = { id: string; created: number };

/** One of Stripe's lists: how a page is asked for, and what its objects mean for our rows. */
export type Listing<State> = {
  list: (after: string | null) => Promise<{ data: ListedObject[]; has_more: boolean }>;
  /** Our ids of a page's objects. */
  idsOf: (rows: readonly ListedObject[]) => string[];
  /** Our rows of them, with their versions. */
  readState: (rows: readonly ListedObject[]) => Promise<State>;
  /** What differs. `mayLookUp`: the state was read before the page, so more may be looked up at Stripe. */
  compare: (rows: readonly ListedObject[], state: State, mayLookUp: boolean) => Promise<Comparison>;
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
 * Compares a page of a list with our rows. Without differences this is one request to Stripe. Otherwise the page is read
 * once more, now after our rows: only then does the row version tell whether a row changed while Stripe answered.
 */
export async function comparePage<State>(
  deps: MaintenanceDeps,
  { run, after }: { run: Run; after: string | null },
  listing: Listing<State>,
): Promise<ComparedPage> {
  const first = await readPage(deps, deps.signal, () => listing.list(after));
  if (first.kind !== 'page') return first;
  const seen = await listing.compare(first.rows, await listing.readState(first.rows), false);
  if (seen.kind === 'later') return seen;
  if (seen.kind === 'compared' && seen.changes.length === 0)
    return compared(deps, run, { listing, page: first, drift: [] });
  const state = await listing.readState(first.rows);
  const second = await readPage(deps, deps.signal, () => listing.list(after));
  if (second.kind !== 'page') return second;
  const known = new Set(first.rows.map((row) => row.id));
  const again = second.rows.filter((row) => known.has(row.id));
  const sure = await listing.compare(again, state, true);
  if (sure.kind !== 'compared')
    return sure.kind === 'later' ? sure : { kind: 'later', pauseMs: 1_000, why: 'a page needs more lookups' };
  const drift = await repair(deps, run, sure.changes);
  return compared(deps, run, { listing, page: { ...second, rows: again }, drift });
}

async function compared<State>(
  deps: MaintenanceDeps,
  run: Run,
  found: {
    listing: Listing<State>;
    page: { rows: ListedObject[]; hasMore: boolean };
    drift: readonly DriftEntry[];
  },
): Promise<ComparedPage> {
  const { listing, page, drift } = found;
  const synced = await noteRunObjects(deps.database, run.id, listing.idsOf(page.rows));
  const last = page.rows.at(-1);
  return {
    kind: 'compared',
    synced,
    objects: page.rows.length,
    drift,
    after: page.hasMore && last !== undefined ? last.id : null,
  };
}
