import { hasClaims } from '../stripe/claims.ts';
import type { Claims } from '../stripe/claims.ts';
import type { PaidInvoice } from '../stripe/invoice.ts';
import type { SubscriptionSnapshot } from '../stripe/subscription.ts';
import type { Instant } from '../time.ts';
import { decideSnapshot, isBetterSnapshot } from './decide-snapshot.ts';
import { confirmedState, unconfirmedState } from './lookup.ts';
import type { StripeLookup, Step } from './lookup.ts';
import { noteRead, noteStatus, withPastDueSince } from './past-due.ts';
import { hasSameContent, isTerminal } from './subscription-row.ts';
import type { Incoming, SubscriptionRow } from './subscription-row.ts';

/** `lookup`: Stripe's answer; null: Stripe was not asked yet. */
export type StepContext = { lookup: StripeLookup<SubscriptionSnapshot> | null; now: Instant };

/** The newest paid invoice, whichever event or lookup named it first. */
function withPaidInvoice(row: SubscriptionRow, paid: PaidInvoice | null): SubscriptionRow {
  if (paid === null) return row;
  const { periodInvoiceId, periodInvoiceAt } = row;
  const isNewer =
    periodInvoiceAt === null ||
    paid.createdAt > periodInvoiceAt ||
    (paid.createdAt === periodInvoiceAt && paid.id > (periodInvoiceId ?? ''));
  return isNewer ? { ...row, periodInvoiceId: paid.id, periodInvoiceAt: paid.createdAt } : row;
}

/** Claims of the newest snapshot that has any, stale ones included: a later one without claims changes nothing. */
function withClaims(row: SubscriptionRow, claims: Claims, at: Instant): SubscriptionRow {
  if (!hasClaims(claims) || (row.claimsAt !== null && at < row.claimsAt)) return row;
  const isLesser = at === row.claimsAt && JSON.stringify(claims) < JSON.stringify(row.claims);
  return isLesser ? row : { ...row, claims, claimsAt: at };
}

/** The row with a snapshot's content; what the snapshot leaves out stays as it was. */
function withContent(row: SubscriptionRow, snapshot: SubscriptionSnapshot): SubscriptionRow {
  const {
    id: _id,
    claims: _claims,
    areItemsComplete,
    paidInvoice,
    latestInvoiceDueAt: _due,
    ...content
  } = snapshot;
  const isSameInvoice = snapshot.latestInvoiceId === row.latestInvoiceId;
  return {
    ...withPaidInvoice(row, paidInvoice),
    ...content,
    customerId: snapshot.customerId ?? row.customerId,
    items: areItemsComplete || row.items.length === 0 ? snapshot.items : row.items,
    latestInvoiceCreatedAt:
      snapshot.latestInvoiceCreatedAt ?? (isSameInvoice ? row.latestInvoiceCreatedAt : null),
  };
}

/**
 * The state as Stripe has it now. An end that an event reported stays, even where Stripe's answer is older
 * (invariant "terminal absorbs"). `asOf`: the newest event that the answer is at least as new as; `now`: when it was read.
 */
export function applyLookup(
  row: SubscriptionRow,
  snapshot: SubscriptionSnapshot,
  asOf: { at: Instant | null; eventId: string | null; now: Instant },
): SubscriptionRow {
  if (isTerminal(row.status) && !isTerminal(snapshot.status)) return { ...row, ...confirmedState };
  const noted = noteRead(row, snapshot, { asOf: asOf.at, now: asOf.now });
  return withPastDueSince({
    ...withContent(withClaims(noted, snapshot.claims, asOf.at ?? 0), snapshot),
    ...confirmedState,
    snapshotAt: asOf.at,
    snapshotEventId: asOf.eventId,
  });
}

/** Keeps the best known state, unconfirmed: rechecked later, or never where Stripe does not have the object. */
export const keepForRecheck = (
  row: SubscriptionRow,
  lookup: { kind: 'missing' | 'unreachable' },
  now: Instant,
): SubscriptionRow => withPastDueSince({ ...row, ...unconfirmedState(row, lookup, now) });

const newest = (at: Instant | null, created: Instant): Instant => Math.max(at ?? created, created);

/** The event that a looked-up state is named after: the newest, of one second the one with the greatest id. */
function newestEventId(row: SubscriptionRow, { created, eventId }: Incoming): string {
  if (row.snapshotEventId === null || row.snapshotAt === null || created > row.snapshotAt) return eventId;
  const isLater = created === row.snapshotAt && eventId > row.snapshotEventId;
  return isLater ? eventId : row.snapshotEventId;
}

/**
 * Of several events of one second with the same content the row keeps the greatest id: a later tie is compared
 * with it while Stripe cannot be asked, so it must not depend on the order of arrival.
 */
function withGreaterEvent(row: SubscriptionRow, { snapshot, created, eventId }: Incoming): SubscriptionRow {
  const isSame = created === row.snapshotAt && hasSameContent(row, snapshot);
  return isSame && eventId > (row.snapshotEventId ?? '') ? { ...row, snapshotEventId: eventId } : row;
}

/** What an event that carries a subscription does to its row (invariant "order does not matter"). */
export function stepSnapshot(
  stored: SubscriptionRow,
  incoming: Incoming,
  { lookup, now }: StepContext,
): Step<SubscriptionRow> {
  const { snapshot, created, eventId } = incoming;
  const row = withClaims(noteStatus(stored, incoming), snapshot.claims, created);
  const decision = decideSnapshot(stored, incoming);
  const origin = { snapshotAt: created, snapshotEventId: eventId };
  if (decision === 'stale') {
    const outcome = stored.snapshotEventId === eventId ? 'applied' : 'stale';
    return { kind: 'write', row: withPastDueSince(withGreaterEvent(row, incoming)), outcome };
  }
  if (decision === 'apply')
    return {
      kind: 'write',
      row: withPastDueSince({ ...withContent(row, snapshot), ...confirmedState, ...origin }),
      outcome: 'applied',
    };
  if (lookup === null) return { kind: 'needs_lookup' };
  if (lookup.kind === 'found') {
    const asOf = { at: newest(row.snapshotAt, created), eventId: newestEventId(row, incoming), now };
    return { kind: 'write', row: applyLookup(row, lookup.object, asOf), outcome: 'applied' };
  }
  const isBetter = isBetterSnapshot(incoming, row);
  const best = isBetter ? { ...withContent(row, snapshot), ...origin } : row;
  return {
    kind: 'write',
    row: keepForRecheck(best, lookup, now),
    outcome: isBetter || stored.snapshotEventId === eventId ? 'applied' : 'stale',
  };
}

/** The event of another object that names a subscription: its checkout session, an invoice, a schedule. */
export type Mention = {
  customerId: string | null;
  claims: Claims;
  paidInvoice: PaidInvoice | null;
  created: Instant;
  eventId: string;
};

/**
 * What such an event does to the subscription's row: it may name the owner and a paid invoice. Where the
 * subscription's own state is unknown or unconfirmed, it is a reason for a lookup.
 */
export function stepMention(
  stored: SubscriptionRow,
  mention: Mention,
  { lookup, now }: StepContext,
): Step<SubscriptionRow> {
  const row = {
    ...withPaidInvoice(stored, mention.paidInvoice),
    customerId: stored.customerId ?? mention.customerId,
    claims: hasClaims(stored.claims) ? stored.claims : mention.claims,
  };
  const needsLookup = (stored.status === null || !stored.confirmed) && stored.missingInStripeAt === null;
  if (!needsLookup) return { kind: 'write', row, outcome: 'applied' };
  if (lookup === null) return { kind: 'needs_lookup' };
  if (lookup.kind !== 'found')
    return { kind: 'write', row: keepForRecheck(row, lookup, now), outcome: 'applied' };
  const isNewer = row.snapshotAt === null || mention.created > row.snapshotAt;
  const asOf = {
    at: newest(row.snapshotAt, mention.created),
    eventId: isNewer ? mention.eventId : row.snapshotEventId,
    now,
  };
  return { kind: 'write', row: applyLookup(row, lookup.object, asOf), outcome: 'applied' };
}
