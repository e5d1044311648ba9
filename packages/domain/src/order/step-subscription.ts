import type { Claims } from '../stripe/claims.ts';
import type { PaidInvoice } from '../stripe/invoice.ts';
import type { SubscriptionSnapshot } from '../stripe/subscription.ts';
import type { Instant } from '../time.ts';
import { isBetterSnapshot } from './best-snapshot.ts';
import { decideSnapshot } from './decide-snapshot.ts';
import { noteStatus, withPastDueSince } from './past-due.ts';
import { firstRecheckDelayMs } from './lookup.ts';
import type { StripeLookup, Step } from './lookup.ts';
import { isTerminal, saysTheSame } from './subscription-row.ts';
import type { Incoming, SubscriptionRow } from './subscription-row.ts';

/** What is at hand when an event is decided: what Stripe said, if it was asked, and the present. */
export type StepContext = { lookup: StripeLookup<SubscriptionSnapshot> | null; now: Instant };

const said = (claims: Claims): boolean => claims.userId !== null || claims.projectId !== null;

/** The newest paid invoice, whichever event or read named it first. */
function withPaidInvoice(row: SubscriptionRow, paid: PaidInvoice | null): SubscriptionRow {
  if (paid === null) return row;
  const { periodInvoiceId, periodInvoiceAt } = row;
  const isNewer =
    periodInvoiceAt === null ||
    paid.createdAt > periodInvoiceAt ||
    (paid.createdAt === periodInvoiceAt && paid.id > (periodInvoiceId ?? ''));
  return isNewer ? { ...row, periodInvoiceId: paid.id, periodInvoiceAt: paid.createdAt } : row;
}

/** Metadata of the newest snapshot that has any, stale ones too: once named, the owner stays named. */
function withClaims(row: SubscriptionRow, claims: Claims, at: Instant): SubscriptionRow {
  if (!said(claims) || (row.claimsAt !== null && at < row.claimsAt)) return row;
  const isLesser = at === row.claimsAt && JSON.stringify(claims) < JSON.stringify(row.claims);
  return isLesser ? row : { ...row, claims, claimsAt: at };
}

/** The row with a snapshot's content; what a rendering leaves out stays as it was. */
function withContent(row: SubscriptionRow, snapshot: SubscriptionSnapshot): SubscriptionRow {
  const { id: _id, claims: _claims, areItemsComplete, paidInvoice, ...content } = snapshot;
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

const settled = { confirmed: true, recheckAt: null, recheckAttempts: 0, missingInStripeAt: null } as const;

/** The state that Stripe itself gave. An end that an event reported stays, should Stripe's answer be older. */
export function applyLookup(
  row: SubscriptionRow,
  snapshot: SubscriptionSnapshot,
  seen: { at: Instant | null; eventId: string | null },
): SubscriptionRow {
  if (isTerminal(row.status) && !isTerminal(snapshot.status)) return { ...row, ...settled };
  const named = withClaims(row, snapshot.claims, seen.at ?? 0);
  return withPastDueSince({
    ...withContent(named, snapshot),
    ...settled,
    snapshotAt: seen.at,
    snapshotEventId: seen.eventId,
  });
}

/** Keeps what is known, in doubt: to be settled later, or never where Stripe does not have it. */
export function keepForRecheck(
  row: SubscriptionRow,
  lookup: { kind: 'missing' | 'unreachable' },
  now: Instant,
): SubscriptionRow {
  const doubt = { ...row, confirmed: false };
  if (lookup.kind === 'missing')
    return withPastDueSince({ ...doubt, recheckAt: null, recheckAttempts: 0, missingInStripeAt: now });
  return withPastDueSince({ ...doubt, recheckAt: row.recheckAt ?? now + firstRecheckDelayMs });
}

const newest = (at: Instant | null, created: Instant): Instant => Math.max(at ?? created, created);

/** Of several events of one second the one with the greatest id stands for the state, as it came of them all. */
const eventOf = (row: SubscriptionRow, { created, eventId }: { created: Instant; eventId: string }) => {
  if (row.snapshotEventId === null || row.snapshotAt === null || created > row.snapshotAt) return eventId;
  const isLater = created === row.snapshotAt && eventId > row.snapshotEventId;
  return isLater ? eventId : row.snapshotEventId;
};

/**
 * Of several events that say the same in one second the greatest id stands for it: against it a snapshot of
 * that second is compared while Stripe can't be asked, and arrival must not entitlementInputs.
 */
function withGreaterEvent(row: SubscriptionRow, { snapshot, created, eventId }: Incoming): SubscriptionRow {
  const isSame = created === row.snapshotAt && saysTheSame(row, snapshot);
  return isSame && eventId > (row.snapshotEventId ?? '') ? { ...row, snapshotEventId: eventId } : row;
}

/** What an event that carries a subscription does to its row. */
export function stepSnapshot(
  stored: SubscriptionRow,
  incoming: Incoming,
  { lookup, now }: StepContext,
): Step<SubscriptionRow> {
  const { snapshot, created, eventId } = incoming;
  const row = withClaims(noteStatus(stored, incoming), snapshot.claims, created);
  const verdict = decideSnapshot(stored, incoming);
  const mine = { snapshotAt: created, snapshotEventId: eventId };
  if (verdict === 'stale') {
    const outcome = stored.snapshotEventId === eventId ? 'applied' : 'stale';
    return { kind: 'write', row: withPastDueSince(withGreaterEvent(row, incoming)), outcome };
  }
  if (verdict === 'apply')
    return {
      kind: 'write',
      row: withPastDueSince({ ...withContent(row, snapshot), ...settled, ...mine }),
      outcome: 'applied',
    };
  if (lookup === null) return { kind: 'needs_lookup' };
  if (lookup.kind === 'found') {
    const at = newest(row.snapshotAt, created);
    const seen = { at, eventId: eventOf(row, incoming) };
    return { kind: 'write', row: applyLookup(row, lookup.object, seen), outcome: 'applied' };
  }
  const isBetter = isBetterSnapshot(incoming, row);
  const best = isBetter ? { ...withContent(row, snapshot), ...mine } : row;
  return {
    kind: 'write',
    row: keepForRecheck(best, lookup, now),
    outcome: isBetter || stored.snapshotEventId === eventId ? 'applied' : 'stale',
  };
}

/** Another object's event that names a subscription: its checkout session, an invoice, a schedule. */
export type Mention = {
  customerId: string | null;
  claims: Claims;
  paidInvoice: PaidInvoice | null;
  created: Instant;
  eventId: string;
};

/**
 * What such an event does: it may say whose the subscription is, and where our state is unknown or in
 * doubt it is a reason to look at Stripe.
 */
export function stepMention(
  stored: SubscriptionRow,
  mention: Mention,
  { lookup, now }: StepContext,
): Step<SubscriptionRow> {
  const row = {
    ...withPaidInvoice(stored, mention.paidInvoice),
    customerId: stored.customerId ?? mention.customerId,
    claims: said(stored.claims) ? stored.claims : mention.claims,
  };
  const isInDoubt = (stored.status === null || !stored.confirmed) && stored.missingInStripeAt === null;
  if (!isInDoubt) return { kind: 'write', row, outcome: 'applied' };
  if (lookup === null) return { kind: 'needs_lookup' };
  if (lookup.kind !== 'found')
    return { kind: 'write', row: keepForRecheck(row, lookup, now), outcome: 'applied' };
  const isNew = row.snapshotAt === null || mention.created > row.snapshotAt;
  const seen = {
    at: newest(row.snapshotAt, mention.created),
    eventId: isNew ? mention.eventId : row.snapshotEventId,
  };
  return { kind: 'write', row: applyLookup(row, lookup.object, seen), outcome: 'applied' };
}
