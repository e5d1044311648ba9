import type { Instant, Owned, Owner, PurchaseRow, SubscriptionRow } from '@billing/domain';
import type { PendingInvalidation } from '../change-user.ts';

export type LedgerStatus = 'applied' | 'stale' | 'ignored' | 'quarantined' | 'failed';

/** What became of one event: its row of the ledger. */
export type LedgerOutcome = {
  eventId: string;
  type: string;
  objectId: string | null;
  customerId: string | null;
  projectId: string | null;
  apiVersion: string | null;
  status: LedgerStatus;
  reason: string | null;
  /** The Stripe customer or price whose mapping releases a quarantined event. */
  awaits: string | null;
  created: Instant;
  receivedAt: Instant;
  processedAt: Instant;
  /** Of the request that brought it; null: none, or it was not traced. */
  traceId: string | null;
  /** Lies in a table of its own, by `receivedAt`. */
  payload: unknown;
};

type ObjectOutcome<Row> = {
  /** As it is to be stored; its `rowVersion` is the one that was read. */
  row: Row;
  hasNewItems: boolean;
  /** True: the new items have all that are stored, so that none is deleted. */
  keepsItems?: boolean;
  owner: Owner | null;
  /** Its owners in further projects; absent: as they are. Assignments stay in any case. */
  others?: readonly Owned[];
  /** References of stored users whose entitlements change with it. */
  bumps: readonly number[];
};

/** An object, its events, and everything they change: written whole or not at all. */
export type Outcome =
  | ({ kind: 'subscription'; events: readonly LedgerOutcome[] } & ObjectOutcome<SubscriptionRow>)
  | ({ kind: 'purchase'; events: readonly LedgerOutcome[] } & ObjectOutcome<PurchaseRow>)
  | { kind: 'customer_deleted'; events: readonly LedgerOutcome[]; customerId: string; deletedAt: Instant }
  | { kind: 'none'; events: readonly LedgerOutcome[] };

export type Written = {
  /** False: a user was erased since the batch was decided. Nothing was written; decide it again. */
  isCurrent: boolean;
  /** Keys of the objects that were written (`objectKeyOf`); the others changed meanwhile: decide them again. */
  written: ReadonlySet<string>;
  /** Events that this statement recorded in the ledger. */
  recorded: ReadonlySet<string>;
  pending: PendingInvalidation[];
};

/** A stored object. */
export type ObjectKey = { kind: 'subscription' | 'purchase'; id: string };

export const keyOf = ({ kind, id }: ObjectKey): string => `${kind}:${id}`;

/** Identifies an object across tables; null where the outcome writes none that has a row version. */
export function objectKeyOf(outcome: Outcome): string | null {
  const { kind } = outcome;
  return kind === 'subscription' || kind === 'purchase' ? keyOf({ kind, id: outcome.row.id }) : null;
}
